//! What ends up on the screen, byte by byte.

use std::sync::{Arc, Mutex};

use super::*;

#[derive(Clone, Default)]
struct Record(Arc<Mutex<Vec<u8>>>);

impl Record {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Record {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a terminal with colours gets to see.
pub(crate) fn recorded(draw: impl FnOnce(&mut Screen) -> io::Result<()>) -> String {
    let record = Record::default();
    let mut screen = Screen::new(Box::new(record.clone()), Surface::Terminal { colours: true });
    draw(&mut screen).unwrap();
    record.text()
}

/// What comes out of the standard output and the standard error when they are pipes.
pub(crate) fn piped(draw: impl FnOnce(&mut Screen) -> io::Result<()>) -> (String, String) {
    let (out, notes) = (Record::default(), Record::default());
    let mut screen = Screen::new(
        Box::new(out.clone()),
        Surface::Pipes {
            notes: Box::new(notes.clone()),
        },
    );
    draw(&mut screen).unwrap();
    (out.text(), notes.text())
}

fn quiet(screen: &mut Screen) {
    screen.last_visible = Instant::now().checked_sub(QUIET).unwrap();
}

#[test]
fn notes_begin_on_their_own_line_and_text_goes_on_after_them() {
    let draw = |screen: &mut Screen| {
        screen.text(Tone::Plain, "Hel")?;
        screen.text(Tone::Plain, "lo\u{1b}[31")?;
        screen.text(Tone::Plain, "m wor")?;
        screen.note(Tone::Dim, "connection lost")?;
        screen.text(Tone::Plain, "ld")?;
        screen.error("it broke", Some("mend it"))?;
        screen.idle()
    };
    assert_eq!(
        recorded(draw),
        "Hello wor\n\u{1b}[2mconnection lost\u{1b}[0m\nld\n\
         \u{1b}[31merror: it broke\u{1b}[0m\n\u{1b}[33mhint: mend it\u{1b}[0m\n"
    );
    let (out, notes) = piped(draw);
    assert_eq!(out, "Hello world\n");
    assert_eq!(notes, "connection lost\nerror: it broke\nhint: mend it\n");
}

#[test]
fn the_spinner_shows_when_it_is_quiet_and_leaves_no_trace() {
    let shown = recorded(|screen| {
        screen.activity("thinking");
        screen.tick()?;
        quiet(screen);
        screen.tick()?;
        screen.text(Tone::Plain, "so")?;
        screen.tick()?;
        quiet(screen);
        screen.tick()?;
        screen.text(Tone::Plain, " far\n")?;
        screen.idle()?;
        quiet(screen);
        screen.tick()
    });
    let spinner = "\u{1b}[2m⠋ thinking 0 s\u{1b}[0m";
    assert_eq!(
        shown,
        format!(
            "{CLEAR_LINE}{spinner}{CLEAR_LINE}so{OPEN_BELOW}{CLEAR_LINE}{spinner}{CLEAR_LINE}{BACK} far\n"
        )
    );
    let (out, notes) = piped(|screen| {
        screen.activity("thinking");
        quiet(screen);
        screen.tick()
    });
    assert_eq!((out.as_str(), notes.as_str()), ("", ""));
}
