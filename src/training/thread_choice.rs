//! `ThreadChoice`: all threads or one for the steps of a training, whichever is faster.
//!
//! A step is as slow as its slowest thread. While another program keeps a core busy, the system
//! takes that core from a thread for milliseconds, and a step of 50 µs on all threads waits that
//! long; a single thread is moved to the free core. So trainings with short steps try the other
//! choice from time to time, and keep the faster one. The bits are the same.

use std::time::Duration;

use super::threads::Threads;

/// Time of a trial. Steps that may take longer on one thread are not tried.
const TRIAL: Duration = Duration::from_millis(3);
/// Time until the next trial after a change.
const FIRST_PERIOD: Duration = Duration::from_millis(30);
/// Longest time until the next trial; it doubles after each trial that changes nothing.
const LAST_PERIOD: Duration = Duration::from_secs(1);

/// Measurements of steps, with all threads or with one.
pub(super) struct ThreadChoice {
    /// Steps since the last trial began or ended, and their time.
    steps: u32,
    time: Duration,
    /// Mean step before the trial that runs, if one does.
    usual: Option<Duration>,
    /// Time until the next trial.
    period: Duration,
}

impl ThreadChoice {
    pub fn new() -> ThreadChoice {
        ThreadChoice { steps: 0, time: Duration::ZERO, usual: None, period: FIRST_PERIOD }
    }

    /// Adds the time of a step, and begins or ends a trial if it is time.
    pub fn add_step(&mut self, time: Duration, threads: &mut Threads) {
        if threads.count() == 1 {
            return;
        }
        self.steps += 1;
        self.time += time;
        let end = if self.usual.is_some() { TRIAL } else { self.period };
        if self.time < end {
            return;
        }
        let mean = self.time / self.steps;
        (self.steps, self.time) = (0, Duration::ZERO);
        let Some(usual) = self.usual.take() else {
            let longest = if threads.is_one { mean } else { mean * threads.count() as u32 };
            if longest < TRIAL {
                self.usual = Some(mean);
                threads.is_one = !threads.is_one;
            } else {
                threads.is_one = false;
            }
            return;
        };
        if mean < usual {
            self.period = FIRST_PERIOD;
        } else {
            self.period = LAST_PERIOD.min(2 * self.period);
            threads.is_one = !threads.is_one;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Share of the steps within 10 s that run on one thread, if a step takes these times.
    fn share_on_one(
        choice: &mut ThreadChoice,
        threads: &mut Threads,
        on_all: Duration,
        on_one: Duration,
    ) -> f64 {
        let (mut time, mut steps, mut steps_on_one) = (Duration::ZERO, 0, 0);
        while time < Duration::from_secs(10) {
            steps += 1;
            steps_on_one += usize::from(threads.is_one);
            let step = if threads.is_one { on_one } else { on_all };
            time += step;
            choice.add_step(step, threads);
        }
        steps_on_one as f64 / steps as f64
    }

    #[test]
    fn steps_take_the_faster_choice() {
        let micros = Duration::from_micros;
        let (mut choice, mut threads) = (ThreadChoice::new(), Threads::new(2, 2));
        assert_eq!(threads.count(), 2);
        let mut share = |on_all, on_one| {
            share_on_one(&mut choice, &mut threads, micros(on_all), micros(on_one))
        };
        let quiet = share(48, 70);
        assert!(quiet > 0.0 && quiet < 0.01, "{quiet}");
        let busy = share(140, 70);
        assert!(busy > 0.9, "{busy}");
        let quiet_again = share(48, 70);
        assert!(quiet_again < 0.1, "{quiet_again}");
    }

    #[test]
    fn long_steps_are_never_tried_on_one_thread() {
        let millis = Duration::from_millis;
        let mut threads = Threads::new(2, 2);
        let mut choice = ThreadChoice::new();
        assert_eq!(share_on_one(&mut choice, &mut threads, millis(2), millis(1)), 0.0);
        threads.is_one = true;
        assert!(share_on_one(&mut choice, &mut threads, millis(9), millis(9)) < 0.01);
    }
}
