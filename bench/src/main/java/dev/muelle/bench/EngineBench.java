package dev.muelle.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.muelle.engine.ContainerSpec;
import dev.muelle.engine.ImageReference;
import dev.muelle.engine.LocalRegistry;
import dev.muelle.engine.SandboxSpec;
import dev.muelle.engine.blob.BlobStore;
import dev.muelle.engine.blob.FileBlobStore;
import dev.muelle.engine.oci.OciEngine;
import dev.muelle.linux.Command;
import dev.muelle.loop.SystemTimers;
import dev.muelle.network.Cidr;
import dev.muelle.network.Network;
import dev.muelle.network.Network.NetworkInterface;
import dev.muelle.network.Network.Use;
import dev.muelle.network.SecurityGroup;
import dev.muelle.network.linux.LinuxNetwork;
import dev.muelle.store.SqliteStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Starts and removes tasks through the contracts of network and engine, without the control plane,
 * and prints what each phase costs: lines of {@code one PHASE MICROSECONDS} (the median of tasks
 * that were started one after the other) and {@code all WHAT MILLIS} (all at once). Arguments: an
 * empty directory, tasks one after the other, tasks at once.
 */
public final class EngineBench {

  private static final int AT_ONCE = 32;
  private static final long GIB = 1L << 30;

  private final Clock clock;
  private final Network network;
  private final OciEngine engine;
  private final String image;
  private final Map<String, List<Long>> phases =
      java.util.Collections.synchronizedMap(new LinkedHashMap<>());

  private EngineBench(Network network, OciEngine engine, String image, Clock clock) {
    this.clock = clock;
    this.network = network;
    this.engine = engine;
    this.image = image;
  }

  /** See the class. */
  public static void main(String[] arguments) throws Exception {
    Path directory = Path.of(arguments[0]);
    int one = Integer.parseInt(arguments[1]);
    int many = Integer.parseInt(arguments[2]);
    try (SystemTimers timers = new SystemTimers();
        SqliteStore store = SqliteStore.open(directory.resolve("store.db"));
        LinuxNetwork network = new LinuxNetwork("mubench")) {
      BlobStore blobs = FileBlobStore.open(directory.resolve("blobs"), store, timers);
      String digest = busybox(blobs, directory);
      OciEngine engine =
          new OciEngine("mubench", directory.resolve("engine"), blobs, only(digest), timers);
      try {
        network.putVpc(new Network.Vpc("vpc-bench", List.of(Cidr.parse("10.77.0.0/16"))));
        network.putSecurityGroup(new SecurityGroup("sg-bench", "vpc-bench", List.of(), List.of()));
        String image = engine.pull(ImageReference.parse("local.bench/busybox"), null).id();
        EngineBench bench = new EngineBench(network, engine, image, Clock.systemUTC());
        bench.measure(one, many);
      } finally {
        engine.removeAll();
        engine.close();
        network.removeAll();
      }
    }
  }

  private static LocalRegistry only(String digest) {
    return new LocalRegistry() {
      @Override
      public boolean owns(ImageReference reference) {
        return true;
      }

      @Override
      public Optional<String> resolve(ImageReference reference) {
        return Optional.of(digest);
      }
    };
  }

  private static String busybox(BlobStore blobs, Path directory) throws Exception {
    Path root = directory.resolve("image");
    Path bin = Files.createDirectories(root.resolve("bin"));
    Files.copy(Path.of("/bin/busybox"), bin.resolve("busybox"));
    Files.createSymbolicLink(bin.resolve("sleep"), Path.of("busybox"));
    Path tar = directory.resolve("layer.tar");
    Command.run("tar", "-C", root.toString(), "-cf", tar.toString(), ".");
    byte[] layer = Files.readAllBytes(tar);
    String layerDigest = blobs.put(layer, "bench");
    ObjectMapper json = new ObjectMapper();
    Map<String, ?> rootfs =
        Map.of(
            "type",
            "layers",
            "diff_ids",
            List.of(
                "sha256:"
                    + HexFormat.of()
                        .formatHex(MessageDigest.getInstance("SHA-256").digest(layer))));
    byte[] config =
        json.writeValueAsBytes(
            Map.of("architecture", "amd64", "os", "linux", "config", Map.of(), "rootfs", rootfs));
    Map<String, ?> described =
        Map.of(
            "mediaType",
            "application/vnd.oci.image.config.v1+json",
            "digest",
            blobs.put(config, "bench"),
            "size",
            config.length);
    Map<String, ?> layerDescribed =
        Map.of(
            "mediaType",
            "application/vnd.oci.image.layer.v1.tar",
            "digest",
            layerDigest,
            "size",
            layer.length);
    return blobs.put(
        json.writeValueAsBytes(
            Map.of(
                "schemaVersion",
                2,
                "mediaType",
                "application/vnd.oci.image.manifest.v1+json",
                "config",
                described,
                "layers",
                List.of(layerDescribed))),
        "bench");
  }

  private void measure(int one, int many) throws Exception {
    for (int i = 0; i < 20; i++) { // warms up
      start(i);
      remove(i);
    }
    phases.clear();
    for (int i = 0; i < one; i++) {
      start(i);
    }
    for (int i = 0; i < one; i++) {
      remove(i);
    }
    phases.forEach((phase, micros) -> {
      List<Long> sorted = micros.stream().sorted().toList();
      System.out.println("one " + phase + " " + sorted.get(sorted.size() / 2));
    });
    long begin = micros();
    List<Long> times = all(many, this::start);
    System.out.println("all start " + millis(begin, micros()));
    int tenth = Math.max(1, many / 10);
    System.out.println("all first-tenth " + millis(begin, times.get(tenth - 1)));
    System.out.println(
        "all last-tenth " + millis(times.get(many - tenth - 1), times.get(many - 1)));
    begin = micros();
    all(many, this::remove);
    System.out.println("all remove " + millis(begin, micros()));
  }

  private long micros() {
    return ChronoUnit.MICROS.between(Instant.EPOCH, clock.instant());
  }

  private static long millis(long from, long to) {
    return (to - from) / 1000;
  }

  /** One of a task's steps, by the task's number. */
  private interface Work {
    void on(int number) throws Exception;
  }

  /** Gives when each was ready, in order. */
  private List<Long> all(int many, Work work) throws Exception {
    Map<Integer, Long> ready = new ConcurrentHashMap<>();
    AtomicInteger order = new AtomicInteger();
    Semaphore atOnce = new Semaphore(AT_ONCE);
    List<Future<?>> futures = new ArrayList<>();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < many; i++) {
        int number = i;
        atOnce.acquire();
        futures.add(
            threads.submit(() -> {
              try {
                work.on(number);
                ready.put(order.getAndIncrement(), micros());
              } finally {
                atOnce.release();
              }
              return null;
            }));
      }
    }
    for (Future<?> future : futures) {
      future.get();
    }
    return ready.values().stream().sorted().toList();
  }

  private void start(int number) throws Exception {
    String eni = "eni-" + number;
    String id = "task" + number;
    String address = Cidr.format(Cidr.parse("10.77.0.0/16").base() + 10 + number);
    String mac = "02:00:00:00:%02x:%02x".formatted(number >> 8, number & 255);
    timed(
        "filter",
        () ->
            network.putInterface(
                new NetworkInterface(
                    eni,
                    "vpc-bench",
                    Cidr.parse("10.77.0.0/16"),
                    address,
                    mac,
                    List.of("sg-bench"),
                    null)));
    Path[] namespace = new Path[1];
    timed("namespace", () -> namespace[0] = network.plug(eni, Use.NAMESPACE).orElseThrow());
    timed(
        "sandbox",
        () ->
            engine.createSandbox(
                new SandboxSpec(
                    id,
                    namespace[0],
                    "host",
                    address,
                    List.of("169.254.169.253"),
                    List.of(),
                    256,
                    512L << 20,
                    20 * GIB,
                    Map.of())));
    timed(
        "container",
        () ->
            engine.startContainer(
                ContainerSpec.builder(id + "-0", id, image)
                    .name("sleep")
                    .command(List.of("sleep", "86400"))
                    .keepsOutput(false)
                    .build()));
  }

  private void remove(int number) throws Exception {
    timed("remove-sandbox", () -> engine.removeSandbox("task" + number));
    timed("remove-interface", () -> network.removeInterface("eni-" + number));
  }

  /** A phase. */
  private interface Phase {
    void run() throws Exception;
  }

  private void timed(String phase, Phase work) throws Exception {
    long begin = micros();
    work.run();
    long took = micros() - begin;
    phases
        .computeIfAbsent(phase, p -> java.util.Collections.synchronizedList(new ArrayList<>()))
        .add(took);
  }
}
