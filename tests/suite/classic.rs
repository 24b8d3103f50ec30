//! A client of the classic profile.
