package hotlane;

import com.lmax.disruptor.BatchEventProcessor;
import com.lmax.disruptor.BatchEventProcessorBuilder;
import com.lmax.disruptor.BusySpinWaitStrategy;
import com.lmax.disruptor.EventHandler;
import com.lmax.disruptor.RingBuffer;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.SynchronousQueue;

/**
 * LMAX Disruptor 4 as the reference of bench/ring.bench.ts: single producer, one consumer, busy spin, 4096
 * events of eight doubles. Reads "throughput RECORDS BATCH" from stdin, answers each with one JSON line. The
 * threads ring-prod and ring-cons are pinned from outside and sleep between rounds.
 */
public final class DisruptorPeer {
    private static final int CAPACITY = 4096;

    static final class Event {
        double a, b, c, d, e, f, g, h;
    }

    static final class Summing implements EventHandler<Event> {
        double sum;
        long left;
        long endNs;
        CountDownLatch done;

        @Override
        public void onEvent(Event v, long sequence, boolean endOfBatch) {
            sum += v.a + v.b + v.c + v.d + v.e + v.f + v.g + v.h;
            if (--left == 0) {
                endNs = System.nanoTime();
                done.countDown();
            }
        }
    }

    private final RingBuffer<Event> ring =
        RingBuffer.createSingleProducer(Event::new, CAPACITY, new BusySpinWaitStrategy());
    private final Summing handler = new Summing();
    private final BatchEventProcessor<Event> processor =
        new BatchEventProcessorBuilder().build(ring, ring.newBarrier(), handler);
    private final SynchronousQueue<Runnable> consumerJobs = new SynchronousQueue<>();

    private DisruptorPeer() {
        ring.addGatingSequences(processor.getSequence());
        Thread consumer = new Thread(() -> {
            try {
                while (true) consumerJobs.take().run();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }, "ring-cons");
        consumer.setDaemon(true);
        consumer.start();
    }

    private static void fill(Event v, long n) {
        v.a = n;
        v.b = n + 1;
        v.c = n + 2;
        v.d = n + 3;
        v.e = n + 4;
        v.f = n + 5;
        v.g = n + 6;
        v.h = n + 7;
    }

    private void produce(long records, int batch) {
        for (long n = 0; n < records;) {
            int count = (int) Math.min(batch, records - n);
            long high = ring.next(count);
            for (long s = high - count + 1; s <= high; s++) fill(ring.get(s), n++);
            ring.publish(high - count + 1, high);
        }
    }

    private String throughput(long records, int batch) throws InterruptedException {
        handler.sum = 0;
        handler.left = records;
        CountDownLatch stopped = new CountDownLatch(1);
        handler.done = new CountDownLatch(1);
        consumerJobs.put(() -> {
            processor.run();
            stopped.countDown();
        });
        while (!processor.isRunning()) Thread.onSpinWait();
        long startNs = System.nanoTime();
        produce(records, batch);
        handler.done.await();
        double ns = (double) (handler.endNs - startNs) / records;
        processor.halt();
        stopped.await();
        return "{\"p50\":" + ns + ",\"p99\":" + ns + ",\"p999\":" + ns
            + ",\"perSecond\":" + (1e9 / ns) + ",\"checksum\":" + handler.sum + "}";
    }

    private void serve() {
        try (BufferedReader in = new BufferedReader(new InputStreamReader(System.in))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                String[] words = line.trim().split("\\s+");
                if (words.length < 3 || !words[0].equals("throughput"))
                    System.out.println("{\"error\":\"unknown command\"}");
                else
                    System.out.println(throughput(Long.parseLong(words[1]), Integer.parseInt(words[2])));
                System.out.flush();
            }
        } catch (Exception e) {
            e.printStackTrace();
            System.exit(1);
        }
        System.exit(0);
    }

    public static void main(String[] args) throws InterruptedException {
        DisruptorPeer peer = new DisruptorPeer();
        Thread producer = new Thread(peer::serve, "ring-prod");
        producer.start();
        System.out.println("{\"ready\":true}");
        System.out.flush();
        producer.join();
    }
}
