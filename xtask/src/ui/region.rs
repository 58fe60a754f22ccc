// SPDX-License-Identifier: Apache-2.0
//! Lines at the bottom of a terminal that are drawn again and again, below those that stay.
//!
//! Between two drawings the cursor stands at the beginning of the first of them, and drawing begins with nothing but what is
//! there from the cursor on. So nobody has to know how many rows they take: a terminal that is made narrower folds them, or
//! cuts them off, and either way what is below the cursor is ours and what is above it is not.

/// From the cursor to the end of its row, and of the screen. Fact: ECMA-48, EL and ED.
const REST_OF_ROW: &str = "\u{1b}[K";
const REST_OF_SCREEN: &str = "\u{1b}[J";

/// What is drawn at the moment.
#[derive(Debug, Default)]
pub(super) struct Region {
    drawn: Vec<String>,
}

impl Region {
    pub(super) fn is_empty(&self) -> bool {
        self.drawn.is_empty()
    }

    /// What has to be written so that these lines stand there; they must be shorter than the terminal. None: they do.
    pub(super) fn draw(&mut self, lines: Vec<String>) -> Option<String> {
        if lines == self.drawn {
            return None;
        }
        self.drawn = lines;
        Some(match self.drawn[..] {
            [] => GONE.to_owned(),
            _ => self.again(),
        })
    }

    /// The same for a text that stays, with the end of its line: the lines are below it then.
    pub(super) fn above(&self, text: &str) -> String {
        format!("\r{REST_OF_SCREEN}{text}{}", self.again())
    }

    /// What takes the lines away.
    pub(super) fn erase(&mut self) -> &'static str {
        match std::mem::take(&mut self.drawn)[..] {
            [] => "",
            _ => GONE,
        }
    }

    fn again(&self) -> String {
        if self.drawn.is_empty() {
            return String::new();
        }
        let up = match self.drawn.len() - 1 {
            0 => String::new(),
            up => format!("\u{1b}[{up}A"),
        };
        let lines = self.drawn.join(&format!("{REST_OF_ROW}\r\n"));
        format!("\r{lines}{REST_OF_SCREEN}{up}\r")
    }
}

/// Takes away whatever is drawn.
pub(super) const GONE: &str = "\r\u{1b}[J";

#[cfg(test)]
mod tests;
