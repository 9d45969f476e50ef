//! What Linux tells of processes; 0 everywhere else.

use std::fs;

const TICKS_PER_SECOND: f64 = 100.0;

/// What a `stat` file says.
pub struct Stat {
    parent: u32,
    /// CPU seconds of its own.
    pub cpu: f64,
    /// Seconds of children that have ended.
    ended_children: f64,
}

/// Reads the `stat` file of a process or of a thread.
pub fn stat(file: &str) -> Option<Stat> {
    let text = fs::read_to_string(file).ok()?;
    // Behind the name in brackets: state, parent, and from the twelfth field on the times.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let seconds = |field: usize| fields.get(field)?.parse::<f64>().ok().map(|ticks| ticks / TICKS_PER_SECOND);
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        cpu: seconds(11)? + seconds(12)?,
        ended_children: seconds(13)? + seconds(14)?,
    })
}

fn stat_of(pid: u32) -> Option<Stat> {
    stat(&format!("/proc/{pid}/stat"))
}

/// CPU seconds of a process and all its descendants, also of children that have ended.
pub fn cpu_of_tree(root: u32) -> f64 {
    let ended = || stat_of(root).map_or(0.0, |stat| stat.ended_children);
    loop {
        let before = ended();
        let running = tree(root).into_iter().filter_map(stat_of).map(|stat| stat.cpu).sum::<f64>();
        // Whoever ended in between was counted twice or not at all.
        if ended().total_cmp(&before).is_eq() {
            return before + running;
        }
    }
}

/// A process and what descends from it.
pub fn tree(root: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let parents: Vec<(u32, u32)> = pids.filter_map(|pid| Some((pid, stat_of(pid)?.parent))).collect();
    let mut found = vec![root];
    let mut next = 0;
    while next < found.len() {
        let parent = found[next];
        found.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    found
}
