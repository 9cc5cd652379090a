//! The hotlane ring in Rust, as the reference of bench/ring.bench.ts: 64-byte records, power-of-two capacity,
//! i32 cursors on 128-byte strides, remote cursor cached, one release store per published batch.
//!
//! Reads commands from stdin, one per line, and answers each with one JSON line; idle in between.
//!   rtt SAMPLES CPU_A CPU_B                 round trips, each timed
//!   throughput RECORDS BATCH CPU_A CPU_B    one-way, total time
use std::cell::UnsafeCell;
use std::hint::spin_loop;
use std::io::BufRead;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::Arc;
use std::time::Instant;

const CAPACITY: usize = 4096;
const MASK: i32 = CAPACITY as i32 - 1;

extern "C" {
    fn sched_setaffinity(pid: i32, bytes: usize, mask: *const u64) -> i32;
}

fn pin(cpu: usize) {
    let mut mask = [0u64; 16];
    mask[cpu / 64] = 1 << (cpu % 64);
    // SAFETY: the mask is 128 bytes long and outlives the call.
    let result = unsafe { sched_setaffinity(0, 128, mask.as_ptr()) };
    if result != 0 {
        eprintln!("cannot pin to cpu {cpu}");
    }
}

#[repr(align(128))]
struct Cursor(AtomicI32);

#[repr(C, align(64))]
#[derive(Clone, Copy)]
struct Record([f64; 8]);

struct Ring {
    producer: Cursor,
    consumer: Cursor,
    slots: Box<[UnsafeCell<Record>]>,
}

// SAFETY: one producer and one consumer thread; a slot is written before the producer cursor passes it and
// read before the consumer cursor does.
unsafe impl Sync for Ring {}
unsafe impl Send for Ring {}

impl Ring {
    fn new() -> Arc<Ring> {
        let slots = (0..CAPACITY).map(|_| UnsafeCell::new(Record([0.0; 8]))).collect();
        Arc::new(Ring { producer: Cursor(AtomicI32::new(0)), consumer: Cursor(AtomicI32::new(0)), slots })
    }
}

struct Producer {
    ring: Arc<Ring>,
    next: i32,
    cached_consumer: i32,
}

impl Producer {
    fn new(ring: Arc<Ring>) -> Producer {
        Producer { ring, next: 0, cached_consumer: 0 }
    }

    #[inline]
    fn try_claim(&mut self) -> Option<*mut Record> {
        if self.next.wrapping_sub(self.cached_consumer) >= CAPACITY as i32 {
            self.cached_consumer = self.ring.consumer.0.load(Ordering::Acquire);
            if self.next.wrapping_sub(self.cached_consumer) >= CAPACITY as i32 {
                return None;
            }
        }
        Some(self.ring.slots[(self.next & MASK) as usize].get())
    }

    #[inline]
    fn commit(&mut self) {
        self.next = self.next.wrapping_add(1);
    }

    #[inline]
    fn publish(&mut self) {
        self.ring.producer.0.store(self.next, Ordering::Release);
    }
}

struct Consumer {
    ring: Arc<Ring>,
    next: i32,
    cached_producer: i32,
}

impl Consumer {
    fn new(ring: Arc<Ring>) -> Consumer {
        Consumer { ring, next: 0, cached_producer: 0 }
    }

    #[inline]
    fn drain(&mut self, limit: i32, mut on_record: impl FnMut(&Record)) -> i32 {
        let mut ready = self.cached_producer.wrapping_sub(self.next);
        if ready == 0 {
            self.cached_producer = self.ring.producer.0.load(Ordering::Acquire);
            ready = self.cached_producer.wrapping_sub(self.next);
            if ready == 0 {
                return 0;
            }
        }
        let count = ready.min(limit);
        for i in 0..count {
            let slot = self.ring.slots[(self.next.wrapping_add(i) & MASK) as usize].get();
            // SAFETY: published by the producer, not yet released by us.
            on_record(unsafe { &*slot });
        }
        self.next = self.next.wrapping_add(count);
        self.ring.consumer.0.store(self.next, Ordering::Release);
        count
    }
}

fn record(n: u64) -> Record {
    let base = n as f64;
    Record([base, base + 1.0, base + 2.0, base + 3.0, base + 4.0, base + 5.0, base + 6.0, base + 7.0])
}

#[inline]
fn sum(r: &Record) -> f64 {
    let v = &r.0;
    v[0] + v[1] + v[2] + v[3] + v[4] + v[5] + v[6] + v[7]
}

fn send(producer: &mut Producer, r: Record) {
    loop {
        if let Some(slot) = producer.try_claim() {
            // SAFETY: a claimed slot belongs to the producer until it is published.
            unsafe { *slot = r };
            producer.commit();
            return;
        }
        producer.publish();
        spin_loop();
    }
}

fn quantile(sorted: &[u64], q: f64) -> u64 {
    let rank = (q * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted[rank.min(sorted.len()) - 1]
}

fn round_trip(samples: u64, cpu_a: usize, cpu_b: usize) -> String {
    let (ping, pong) = (Ring::new(), Ring::new());
    let (ping_in, pong_out) = (ping.clone(), pong.clone());
    let warm = (samples / 5).max(1000);
    let total = samples + warm;
    let echo = std::thread::spawn(move || {
        pin(cpu_b);
        let mut consumer = Consumer::new(ping_in);
        let mut producer = Producer::new(pong_out);
        let mut seen = 0;
        while seen < total {
            let count = consumer.drain(256, |r| send(&mut producer, *r));
            if count > 0 {
                producer.publish();
                seen += count as u64;
            }
        }
    });
    pin(cpu_a);
    let mut producer = Producer::new(ping);
    let mut consumer = Consumer::new(pong);
    let mut times = Vec::with_capacity(samples as usize);
    let mut checksum = 0.0;
    for n in 0..total {
        let started = Instant::now();
        send(&mut producer, record(n));
        producer.publish();
        while consumer.drain(256, |r| checksum += sum(r)) == 0 {}
        if n >= warm {
            times.push(started.elapsed().as_nanos() as u64);
        }
    }
    echo.join().expect("echo thread");
    let seconds = times.iter().sum::<u64>() as f64 / 1e9;
    times.sort_unstable();
    format!(
        "{{\"p50\":{},\"p99\":{},\"p999\":{},\"perSecond\":{},\"checksum\":{}}}",
        quantile(&times, 0.5),
        quantile(&times, 0.99),
        quantile(&times, 0.999),
        samples as f64 / seconds,
        checksum
    )
}

fn throughput(records: u64, batch: u64, cpu_a: usize, cpu_b: usize) -> String {
    let ring = Ring::new();
    let input = ring.clone();
    let reader = std::thread::spawn(move || {
        pin(cpu_b);
        let mut consumer = Consumer::new(input);
        let mut checksum = 0.0;
        let mut seen = 0;
        while seen < records {
            seen += consumer.drain(256, |r| checksum += sum(r)) as u64;
        }
        (Instant::now(), checksum)
    });
    pin(cpu_a);
    let mut producer = Producer::new(ring);
    let started = Instant::now();
    let mut n = 0;
    while n < records {
        let end = (n + batch).min(records);
        while n < end {
            send(&mut producer, record(n));
            n += 1;
        }
        producer.publish();
    }
    let (ended, checksum) = reader.join().expect("reader thread");
    let ns = ended.duration_since(started).as_nanos() as f64 / records as f64;
    format!(
        "{{\"p50\":{ns},\"p99\":{ns},\"p999\":{ns},\"perSecond\":{},\"checksum\":{checksum}}}",
        1e9 / ns
    )
}

fn main() {
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("stdin");
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |i: usize| words.get(i).and_then(|w| w.parse::<u64>().ok()).unwrap_or(0);
        let cpu = |i: usize| number(i) as usize;
        let answer = match words.first().copied() {
            Some("rtt") => round_trip(number(1), cpu(2), cpu(3)),
            Some("throughput") => throughput(number(1), number(2).max(1), cpu(3), cpu(4)),
            _ => format!("{{\"error\":\"unknown command {line:?}\"}}"),
        };
        println!("{answer}");
    }
}
