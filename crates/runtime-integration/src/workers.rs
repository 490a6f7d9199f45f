//! Threads that compile in the background.
//!
//! Requests and what follows from them have threads of their own: better code for one
//! function takes ten times as long as quick code for another that is interpreted until
//! then. The threads for better code have a lower priority, so that on few cores they
//! take turns with neither requests nor the program.

use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// A job of the pool.
pub trait Job: Send + 'static {
    /// How urgent the job is if it follows from another: the highest comes first.
    /// `None` if it may not be done yet. Other threads may change it. Must be
    /// quick.
    fn rank(&self) -> Option<u64>;

    /// Another job was found more urgent.
    fn passed_over(&mut self);

    /// Whether the job has no use any more: it is forgotten. Must be quick.
    fn is_obsolete(&self) -> bool;
}

/// Which jobs a thread does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Requests.
    First,
    /// What follows from others.
    Later,
}

/// Jobs that wait.
struct Queue<J> {
    first: VecDeque<J>,
    later: Vec<J>,
    /// Jobs of each kind that threads are at.
    at_work: [usize; 2],
}

impl<J: Job> Queue<J> {
    fn pop(&mut self, kind: Kind) -> Option<J> {
        let job = match kind {
            Kind::First => self.first.pop_front(),
            // Until the requests are done the ranks say little: callers may get copies
            // of what is hot now.
            Kind::Later if self.requests_are_done() => self.pop_later(),
            Kind::Later => None,
        }?;
        self.at_work[kind as usize] += 1;
        Some(job)
    }

    /// A job that was popped is done, and left `rest` behind.
    fn done(&mut self, kind: Kind, rest: Option<J>) {
        self.at_work[kind as usize] -= 1;
        if let Some(rest) = rest {
            self.push_later(rest);
        }
    }

    fn requests_are_done(&self) -> bool {
        self.first.is_empty() && self.at_work[Kind::First as usize] == 0
    }

    /// Adds a job that follows from another. If there are too many, one that may not be
    /// done yet is forgotten.
    fn push_later(&mut self, job: J) {
        if self.later.len() >= MAX_LATER {
            let cold = self.later.iter().position(|job| job.rank().is_none());
            self.later.swap_remove(cold.unwrap_or(0));
        }
        self.later.push(job);
    }

    fn pop_later(&mut self) -> Option<J> {
        self.later.retain(|job| !job.is_obsolete());
        let ranks = self.later.iter().map(J::rank).enumerate();
        let (_, best) = ranks.filter_map(|(i, r)| Some((r?, i))).max()?;
        let job = self.later.swap_remove(best);
        self.later.iter_mut().for_each(J::passed_over);
        Some(job)
    }

    /// Whether nothing is done or to be done at the moment.
    fn is_idle(&self) -> bool {
        let rests = |job: &J| job.is_obsolete() || job.rank().is_none();
        self.first.is_empty() && self.at_work == [0; 2] && self.later.iter().all(rests)
    }
}

/// How long a thread sleeps between two looks at jobs that may not be done yet:
/// twice as long each time that none may.
const FIRST_SLEEP: Duration = Duration::from_millis(1);
const LONGEST_SLEEP: Duration = Duration::from_millis(64);

/// What the priority of threads for [`Kind::Later`] is lowered by: they get a third of
/// what another thread gets that wants the same core. Much less, and on a busy machine
/// the program would run quick code for seconds.
const NICE: i32 = 5;

/// Most jobs that wait until they may be done: what they hold is memory of cold code.
const MAX_LATER: usize = 256;

struct Shared<J, R> {
    queue: Mutex<Queue<J>>,
    wake: Condvar,
    wake_later: Condvar,
    done: Mutex<VecDeque<R>>,
    ready: AtomicBool,
    stop: AtomicBool,
}

/// A pool of threads that turn jobs into results, in the order of requests. A
/// job may leave another one behind, which other threads do when its
/// [rank](Job::rank) allows it.
/// Dropping it forgets jobs that wait and joins the threads.
pub struct Workers<J, R> {
    shared: Arc<Shared<J, R>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    capacity: usize,
}

impl<J: Job, R: Send + 'static> Workers<J, R> {
    /// Starts threads that run `work`: `first` for requests and `later` for the jobs
    /// that these leave behind. At most `capacity` requests wait. `tell` is called after
    /// each result.
    ///
    /// # Errors
    /// If no thread of either kind that is wanted can be started. Fewer than wanted is
    /// not an error.
    pub fn start(
        first: usize,
        later: usize,
        capacity: usize,
        work: impl Fn(J) -> (R, Option<J>) + Send + Sync + 'static,
        tell: impl Fn() + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue {
                first: VecDeque::new(),
                later: Vec::new(),
                at_work: [0; 2],
            }),
            wake: Condvar::new(),
            wake_later: Condvar::new(),
            done: Mutex::new(VecDeque::new()),
            ready: AtomicBool::new(false),
            stop: AtomicBool::new(false),
        });
        let work = Arc::new((work, tell));
        let workers = Workers {
            shared,
            threads: Mutex::default(),
            capacity,
        };
        for (kind, name, threads) in [(Kind::First, "jit", first), (Kind::Later, "better", later)] {
            for i in 0..threads {
                let (s, w) = (workers.shared.clone(), work.clone());
                let spawned = std::thread::Builder::new()
                    .name(format!("vela-{name}-{i}"))
                    .stack_size(16 << 20)
                    .spawn(move || run(kind, &s, &w.0, &w.1));
                match spawned {
                    Ok(handle) => workers.threads.lock().push(handle),
                    Err(e) if i == 0 => return Err(e),
                    Err(_) => break,
                }
            }
        }
        Ok(workers)
    }

    /// Queues a job. `false` if the queue is full or the pool was stopped.
    #[must_use]
    pub fn submit(&self, job: J) -> bool {
        let mut queue = self.shared.queue.lock();
        if queue.first.len() >= self.capacity || self.shared.stop.load(Ordering::Acquire) {
            return false;
        }
        queue.first.push_back(job);
        drop(queue);
        self.shared.wake.notify_one();
        true
    }

    /// A finished result, if there is one. One relaxed load when there is none.
    #[must_use]
    pub fn poll(&self) -> Option<R> {
        if !self.shared.ready.load(Ordering::Acquire) {
            return None;
        }
        let mut done = self.shared.done.lock();
        let result = done.pop_front();
        if done.is_empty() {
            self.shared.ready.store(false, Ordering::Release);
        }
        result
    }

    /// Whether every job that may be done is finished (results may wait).
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.shared.queue.lock().is_idle()
    }
}

fn run<J: Job, R>(
    kind: Kind,
    shared: &Shared<J, R>,
    work: &impl Fn(J) -> (R, Option<J>),
    tell: &impl Fn(),
) {
    if kind == Kind::Later {
        lower_priority();
    }
    loop {
        let job = {
            let mut queue = shared.queue.lock();
            let mut sleep = FIRST_SLEEP;
            loop {
                if shared.stop.load(Ordering::Acquire) {
                    return;
                }
                if let Some(job) = queue.pop(kind) {
                    break job;
                }
                match kind {
                    Kind::First => shared.wake.wait(&mut queue),
                    Kind::Later if queue.later.is_empty() => shared.wake_later.wait(&mut queue),
                    Kind::Later if shared.wake_later.wait_for(&mut queue, sleep).timed_out() => {
                        sleep = (2 * sleep).min(LONGEST_SLEEP);
                    }
                    Kind::Later => sleep = FIRST_SLEEP,
                }
            }
        };
        let (result, rest) = work(job);
        let mut done = shared.done.lock();
        done.push_back(result);
        shared.ready.store(true, Ordering::Release);
        drop(done);
        let mut queue = shared.queue.lock();
        queue.done(kind, rest.filter(|_| !shared.stop.load(Ordering::Acquire)));
        drop(queue);
        if kind == Kind::First {
            shared.wake_later.notify_one();
        }
        tell();
    }
}

/// Lets other threads go first where there are cores to share. On one core alone the
/// program would run quick code for long.
fn lower_priority() {
    let cores = std::thread::available_parallelism();
    if cfg!(target_os = "linux") && cores.is_ok_and(|n| n.get() > 1) {
        // Linux keeps priorities by thread; elsewhere this is the process's. One that
        // is low already stays as it is, and lowering is always allowed.
        let _ = rustix::process::nice(NICE);
    }
}

impl<J, R> Workers<J, R> {
    /// Forgets the jobs that wait and joins the threads, which end after the
    /// jobs they are at.
    pub fn stop(&self) {
        {
            let mut queue = self.shared.queue.lock();
            self.shared.stop.store(true, Ordering::Release);
            (queue.first, queue.later) = Default::default();
        }
        self.shared.wake.notify_all();
        self.shared.wake_later.notify_all();
        for t in self.threads.lock().drain(..) {
            // A worker catches panics of its jobs; one that died has nothing
            // left to wait for.
            let _ = t.join();
        }
    }
}

impl<J, R> Drop for Workers<J, R> {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    /// Its rank, 0 for none.
    struct Number(u32);

    const OBSOLETE: u32 = 1000;

    impl Job for Number {
        fn rank(&self) -> Option<u64> {
            (self.0 > 0).then_some(self.0.into())
        }
        fn is_obsolete(&self) -> bool {
            self.0 == OBSOLETE
        }
        fn passed_over(&mut self) {
            self.0 = self.0.saturating_sub(1);
        }
    }

    #[test]
    fn what_follows_comes_by_rank_and_not_before_it_may() {
        let mut queue = Queue {
            first: VecDeque::from([Number(2)]),
            later: [4, 9, 1].map(Number).into(),
            at_work: [0; 2],
        };
        assert!(queue.pop(Kind::Later).is_none(), "a request waits");
        assert_eq!(queue.pop(Kind::First).map(|n| n.0), Some(2));
        assert!(queue.pop(Kind::First).is_none());
        assert!(queue.pop(Kind::Later).is_none(), "a request is worked at");
        queue.done(Kind::First, None);
        let mut pop = || queue.pop(Kind::Later).map(|n| n.0);
        assert_eq!([pop(), pop()], [Some(9), Some(3)]);
        assert_eq!(pop(), None, "passed over until it may not be done");
        assert!(!queue.is_idle());
        queue.done(Kind::Later, None);
        queue.done(Kind::Later, None);
        assert!(queue.is_idle());
        queue.push_later(Number(OBSOLETE));
        assert!(queue.is_idle());
        assert!(queue.pop(Kind::Later).is_none());
        assert_eq!(queue.later.len(), 1, "what is obsolete is forgotten");
        for _ in 1..2 * MAX_LATER {
            queue.push_later(Number(0));
        }
        assert_eq!(queue.later.len(), MAX_LATER);
        assert!(queue.is_idle());
        queue.later[0].0 = 5;
        assert!(!queue.is_idle());
        assert_eq!(queue.pop(Kind::Later).map(|n| n.0), Some(5));
    }

    #[test]
    fn jobs_come_back_in_order_and_the_queue_is_bounded() {
        let gate = Arc::new(Mutex::new(()));
        let held = gate.lock();
        let g = gate.clone();
        let workers = Workers::start(
            1,
            0,
            3,
            move |Number(n)| {
                drop(g.lock());
                (n * 2, None)
            },
            || (),
        )
        .expect("a thread");
        assert!(workers.submit(Number(1)));
        while workers.shared.queue.lock().at_work == [0; 2] {
            std::thread::yield_now();
        }
        assert!([2, 3, 4].map(Number).into_iter().all(|n| workers.submit(n)));
        assert!(!workers.submit(Number(5)), "full");
        assert!(workers.poll().is_none());
        assert!(!workers.is_idle());
        drop(held);
        while !workers.is_idle() {
            std::thread::yield_now();
        }
        let all: Vec<u32> = std::iter::from_fn(|| workers.poll()).collect();
        assert_eq!(all, [2, 4, 6, 8]);
    }

    #[test]
    fn requests_do_not_wait_for_what_follows() {
        let gate = Arc::new(Mutex::new(()));
        let held = gate.lock();
        let g = gate.clone();
        let workers = Workers::start(
            1,
            1,
            1,
            move |Number(n)| {
                if n == 7 {
                    drop(g.lock());
                }
                (n * 2, (n == 1).then_some(Number(7)))
            },
            || (),
        )
        .expect("threads");
        let next = || loop {
            match workers.poll() {
                Some(n) => return n,
                None => std::thread::yield_now(),
            }
        };
        assert!(workers.submit(Number(1)));
        assert_eq!(next(), 2);
        assert!(workers.submit(Number(2)));
        assert_eq!(next(), 4);
        assert!(!workers.is_idle());
        drop(held);
        assert_eq!(next(), 14);
    }

    #[test]
    fn dropping_forgets_waiting_jobs() {
        let ran = Arc::new(AtomicUsize::new(0));
        let gate = Arc::new(Mutex::new(()));
        let held = gate.lock();
        let (r, g) = (ran.clone(), gate.clone());
        let workers = Workers::start(
            1,
            0,
            100,
            move |_: Number| {
                drop(g.lock());
                r.fetch_add(1, Ordering::Relaxed);
                (0, None)
            },
            || (),
        )
        .expect("a thread");
        for _ in 0..50 {
            assert!(workers.submit(Number(0)));
        }
        while workers.shared.queue.lock().at_work == [0; 2] {
            std::thread::yield_now();
        }
        let dropper = std::thread::spawn(move || drop(workers));
        std::thread::sleep(std::time::Duration::from_millis(20));
        drop(held);
        dropper.join().expect("joins");
        assert_eq!(ran.load(Ordering::Relaxed), 1);
    }
}
