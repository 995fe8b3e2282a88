//! The algorithms that were chosen on a machine, kept in a file from one process to the next.
//!
//! What a measurement finds depends a little on chance, and another algorithm means other bits. With the file, a run that
//! was stopped goes on with the algorithms it began with, and nothing is measured twice. Without it, as where its folder
//! cannot be written, choices are the process's own.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::algorithms::{Algorithm, Choice, Key, WORKSPACE_LIMIT, math_of};

/// Choices for one kind of GPU, version of cuDNN, kernels of ours, and candidates.
pub(super) struct Choices {
    made: HashMap<Key, Choice>,
    file: Option<PathBuf>,
    on: String,
}

/// A line of the file, in JSON.
#[derive(Serialize, Deserialize)]
struct Line {
    /// GPU, cuDNN, kernels of ours, candidates.
    on: String,
    key: Key,
    algorithm: u32,
    math: u32,
    workspace: usize,
}

impl Line {
    /// The choice, if there is such a one.
    fn choice(&self) -> Option<Choice> {
        let algorithm = Algorithm::of(self.key.direction, self.algorithm)?;
        let choice = Choice { algorithm, math: math_of(self.math)?, workspace: self.workspace };
        (self.workspace <= WORKSPACE_LIMIT).then_some(choice)
    }
}

impl Choices {
    /// The choices that a file has for what is named by `on`.
    pub(super) fn new(file: Option<PathBuf>, on: String) -> Self {
        let mut choices = Self { made: HashMap::new(), file, on };
        for (key, choice) in choices.read() {
            choices.made.entry(key).or_insert(choice);
        }
        choices
    }

    pub(super) fn get(&self, key: &Key) -> Option<Choice> {
        self.made.get(key).copied()
    }

    /// Keeps a choice, and returns the one that counts: another process's, if that was quicker.
    pub(super) fn keep(&mut self, key: Key, choice: Choice) -> Choice {
        self.append(key, choice);
        let first = self.read().into_iter().find(|(other, _)| *other == key).map(|(_, first)| first);
        *self.made.entry(key).or_insert(first.unwrap_or(choice))
    }

    /// The file's choices, in its order; lines that are none are passed over.
    fn read(&self) -> Vec<(Key, Choice)> {
        let text = self.file.as_ref().and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok());
        let own = lines.filter(|line| line.on == self.on);
        own.filter_map(|line| Some((line.key, line.choice()?))).collect()
    }

    /// Adds a line in one piece; where that is impossible, the choice is this process's alone.
    fn append(&self, key: Key, choice: Choice) {
        let Choice { algorithm, math, workspace } = choice;
        let line = Line { on: self.on.clone(), key, algorithm: algorithm.number(), math: math as u32, workspace };
        if let (Some(file), Ok(line)) = (&self.file, serde_json::to_string(&line)) {
            if let Some(folder) = file.parent() {
                let _ = std::fs::create_dir_all(folder);
            }
            let opened = OpenOptions::new().create(true).append(true).open(file);
            let _ = opened.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
        }
    }
}

/// Where choices are kept: in `$VALLEYS_CACHE`, or else in `~/.cache/valleys`; in tests nowhere.
pub(super) fn file() -> Option<PathBuf> {
    if cfg!(test) {
        // A test's GPU is none to keep anything about.
        return None;
    }
    let given = std::env::var_os("VALLEYS_CACHE").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let usual = || std::env::home_dir().map(|home| home.join(".cache").join("valleys"));
    given.or_else(usual).map(|folder| folder.join("convolution-algorithms.jsonl"))
}

#[cfg(test)]
mod tests {
    use cudarc::cudnn::sys::cudnnMathType_t as Math;

    use super::*;
    use crate::exec::cuda::algorithms::{Direction, Precision};
    use crate::exec::cuda::convolution::Extents;
    use crate::model::graph::{Shape, Window};

    fn key(images: usize, direction: Direction) -> Key {
        let shape = Shape { channels: 16, height: 32, width: 32 };
        let extents = Extents::new(images, shape, shape, Window::same(3, 1)).expect("a convolution");
        Key { extents, precision: Precision::F32, direction }
    }

    fn choice(direction: Direction, number: u32) -> Choice {
        let algorithm = Algorithm::of(direction, number).expect("an algorithm");
        Choice { algorithm, math: Math::CUDNN_FMA_MATH, workspace: 1 << 20 }
    }

    #[test]
    fn the_next_process_chooses_alike_and_the_first_of_two_counts() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = Some(folder.path().join("deeper").join("choices.jsonl"));
        let mut one = Choices::new(file.clone(), "a GPU".to_owned());
        let mut two = Choices::new(file.clone(), "a GPU".to_owned());
        for (number, direction) in
            [Direction::Forward, Direction::BackwardData, Direction::BackwardFilter].into_iter().enumerate()
        {
            let key = key(128, direction);
            let [first, second] = [number as u32, number as u32 + 1].map(|number| choice(direction, number));
            assert_eq!(one.keep(key, first), first);
            assert_eq!(two.keep(key, second), first, "the other process was quicker");
            assert_eq!((one.get(&key), two.get(&key)), (Some(first), Some(first)));
            assert_eq!(Choices::new(file.clone(), "a GPU".to_owned()).get(&key), Some(first));
            assert_eq!(Choices::new(file.clone(), "another GPU".to_owned()).get(&key), None);
            assert_eq!(one.get(&self::key(127, direction)), None);
        }
    }

    #[test]
    fn a_damaged_file_and_a_missing_one_are_no_matter() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("choices.jsonl");
        let (key, choice) = (key(1, Direction::Forward), choice(Direction::Forward, 2));
        Choices::new(Some(file.clone()), "a GPU".to_owned()).keep(key, choice);
        let line = std::fs::read_to_string(&file).expect("a line");
        let unknown = line.replace("\"algorithm\":2", "\"algorithm\":99");
        let greedy = line.replace("\"workspace\":1048576", "\"workspace\":999999999999");
        assert!(unknown != line && greedy != line);
        std::fs::write(&file, format!("{}\n\u{fffd}\n{unknown}{greedy}", &line[..line.len() / 2])).expect("written");
        let mut damaged = Choices::new(Some(file.clone()), "a GPU".to_owned());
        assert_eq!(damaged.get(&key), None);
        assert_eq!(damaged.keep(key, choice), choice);
        assert_eq!(Choices::new(Some(file), "a GPU".to_owned()).get(&key), Some(choice));
        // A folder is no file.
        for nowhere in [None, Some(folder.path().to_path_buf())] {
            let mut own = Choices::new(nowhere, "a GPU".to_owned());
            assert_eq!((own.keep(key, choice), own.get(&key)), (choice, Some(choice)));
        }
    }
}
