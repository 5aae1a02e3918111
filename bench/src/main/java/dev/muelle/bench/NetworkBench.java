package dev.muelle.bench;

import com.sun.management.OperatingSystemMXBean;
import dev.muelle.linux.Command;
import dev.muelle.linux.NetworkNamespace;
import dev.muelle.network.Cidr;
import dev.muelle.network.Network.NetworkInterface;
import dev.muelle.network.Network.Use;
import dev.muelle.network.Network.Vpc;
import dev.muelle.network.SecurityGroup;
import dev.muelle.network.SecurityGroup.Peer;
import dev.muelle.network.SecurityGroup.Rule;
import dev.muelle.network.linux.LinuxNetwork;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What the filters of a VPC cost: lines of {@code interface INTERFACES MICROSECONDS} and {@code
 * rule INTERFACES MICROSECONDS}, the median of adding one interface, and of adding one rule to a
 * group of 60, where there are so many interfaces and a quarter as many groups already; and of
 * {@code flow on MIB_PER_SECOND MICROSECONDS_PER_MIB} and {@code flow off …}, one connection
 * between two tasks with the filters and without, by turns, and the processor time that both ends
 * and the way between them took. Arguments: numbers of interfaces, rising. Needs root.
 */
public final class NetworkBench {

  private static final String VPC = "vpc-bench";
  private static final Cidr BLOCK = Cidr.parse("10.0.0.0/16");
  private static final int INTERFACES_PER_GROUP = 4;
  private static final int RULES = 60;
  private static final int SAMPLES = 21;
  private static final int ROUNDS = 7;
  private static final long FLOW_MILLIS = 2_000;
  private static final long TURNS_MILLIS = 1_000;

  private final Clock clock = Clock.systemUTC();
  private final LinuxNetwork network;
  private int interfaces;

  private NetworkBench(LinuxNetwork network) {
    this.network = network;
  }

  /** See the class. */
  public static void main(String[] arguments) throws Exception {
    try (LinuxNetwork network = new LinuxNetwork("munetb")) {
      try {
        NetworkBench bench = new NetworkBench(network);
        network.putVpc(new Vpc(VPC, List.of(BLOCK)));
        for (String size : arguments) {
          bench.grow(Integer.parseInt(size));
          bench.measure();
        }
        bench.flow();
      } finally {
        network.removeAll();
      }
    }
  }

  private void grow(int size) {
    while (interfaces < size) {
      if (interfaces % INTERFACES_PER_GROUP == 0) {
        network.putSecurityGroup(group(interfaces / INTERFACES_PER_GROUP, RULES));
      }
      network.putInterface(eni(interfaces));
      interfaces++;
    }
  }

  private static SecurityGroup group(int number, int rules) {
    List<Rule> ingress = new ArrayList<>();
    for (int i = 0; i < rules; i++) {
      Peer peer =
          i % 2 == 0
              ? new Peer.Block(new Cidr(Cidr.address("10.0." + i + ".0"), 24))
              : new Peer.Group("sg-" + number);
      ingress.add(new Rule(6, 1000 + i, 1000 + i, peer));
    }
    Rule all = new Rule(-1, -1, -1, new Peer.Block(Cidr.parse("0.0.0.0/0")));
    return new SecurityGroup("sg-" + number, VPC, ingress, List.of(all));
  }

  private static NetworkInterface eni(int number) {
    String mac = "02:00:00:00:%02x:%02x".formatted(number >> 8 & 255, number & 255);
    return new NetworkInterface(
        "eni-" + number,
        VPC,
        BLOCK,
        BLOCK.at(10L + number),
        mac,
        List.of("sg-" + number / INTERFACES_PER_GROUP),
        null);
  }

  private void measure() {
    List<Long> added = new ArrayList<>();
    List<Long> changed = new ArrayList<>();
    int next = interfaces;
    network.putSecurityGroup(group(next / INTERFACES_PER_GROUP, RULES - 1));
    network.putInterface(eni(next)); // the first of its groups makes their chains
    for (int i = 1; i <= SAMPLES; i++) {
      NetworkInterface one =
          new NetworkInterface(
              "eni-" + next + "-" + i,
              VPC,
              BLOCK,
              BLOCK.at(10L + next + i),
              "02:00:00:01:00:" + String.format("%02x", i),
              eni(next).securityGroups(),
              null);
      added.add(micros(() -> network.putInterface(one)));
      network.removeInterface(one.id());
      changed.add(
          micros(() -> network.putSecurityGroup(group(next / INTERFACES_PER_GROUP, RULES))));
      network.putSecurityGroup(group(next / INTERFACES_PER_GROUP, RULES - 1));
    }
    network.removeInterface("eni-" + next);
    System.out.println("interface " + interfaces + " " + median(added));
    System.out.println("rule " + interfaces + " " + median(changed));
  }

  private long micros(Runnable work) {
    Instant begin = clock.instant();
    work.run();
    return ChronoUnit.MICROS.between(begin, clock.instant());
  }

  private static long median(List<Long> values) {
    return values.stream().sorted().skip(values.size() / 2).findFirst().orElseThrow();
  }

  private void flow() throws Exception {
    Rule all = new Rule(-1, -1, -1, new Peer.Block(Cidr.parse("0.0.0.0/0")));
    network.putSecurityGroup(new SecurityGroup("sg-0", VPC, List.of(all), List.of(all)));
    network.plug("eni-0", Use.NAMESPACE);
    network.plug("eni-1", Use.NAMESPACE);
    Path rules = Files.createTempFile("network-bench", ".nft");
    Map<String, List<Measured>> found = new LinkedHashMap<>();
    for (int i = 0; i < ROUNDS; i++) {
      between(found, "on");
      network.countFlows(VPC, Set.of(BLOCK), clock.instant());
      between(found, "logged");
      network.countFlows(VPC, Set.of(), clock.instant());
      if (network.takeFlows(VPC, clock.instant()).stream().allMatch(w -> w.flows().isEmpty())) {
        throw new IllegalStateException("no flow was counted");
      }
      inside("nft list table inet vpc > " + rules + " && nft delete table inet vpc");
      between(found, "off");
      inside("nft -f " + rules);
    }
    Files.delete(rules);
    found.forEach((what, measured) ->
        System.out.println(
            what
                + " "
                + median(measured.stream().map(Measured::perSecond).toList())
                + " "
                + median(measured.stream().map(Measured::cost).toList())));
  }

  private void between(Map<String, List<Measured>> found, String filters) throws Exception {
    found.computeIfAbsent("flow " + filters, key -> new ArrayList<>()).add(between(this::flowed));
    found.computeIfAbsent("turns " + filters, key -> new ArrayList<>()).add(between(this::turned));
  }

  /**
   * What one connection did.
   *
   * @param perSecond mebibytes, or bytes there and back
   * @param cost microseconds of processor time for each mebibyte, nanoseconds for each turn
   */
  private record Measured(long perSecond, long cost) {}

  /** In nanoseconds; what the kernel does on a packet's way counts for who sent it. */
  private static long processorTime() {
    return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime();
  }

  private static String vpc() {
    return NetworkNamespace.DIRECTORY.resolve("munetb-" + VPC).toString();
  }

  private static void inside(String script) {
    Command.run("nsenter", "--net=" + vpc(), "sh", "-c", script);
  }

  /** What may be done with a connection from one task to another. */
  private interface Talk {
    Measured measure(SocketChannel from, SocketChannel to) throws Exception;
  }

  private static Measured between(Talk talk) throws Exception {
    try (NetworkNamespace from = new NetworkNamespace("munetb-eni-0");
        NetworkNamespace to = new NetworkNamespace("munetb-eni-1");
        ServerSocketChannel listener =
            to.call(() ->
                ServerSocketChannel.open(StandardProtocolFamily.INET)
                    .bind(new InetSocketAddress(BLOCK.at(11), 5001)));
        SocketChannel out =
            from.call(() -> SocketChannel.open(new InetSocketAddress(BLOCK.at(11), 5001)));
        SocketChannel in = listener.accept()) {
      out.setOption(StandardSocketOptions.TCP_NODELAY, true);
      in.setOption(StandardSocketOptions.TCP_NODELAY, true);
      return talk.measure(out, in);
    }
  }

  /** Sends for a while from one task to another. */
  private Measured flowed(SocketChannel out, SocketChannel in) throws Exception {
    Thread reader = Thread.ofPlatform().start(() -> drain(in));
    long sent = 0;
    ByteBuffer bytes = ByteBuffer.allocateDirect(256 << 10);
    long spent = processorTime();
    Instant begin = clock.instant();
    Instant end = begin.plusMillis(FLOW_MILLIS);
    while (clock.instant().isBefore(end)) {
      sent += out.write(bytes);
      bytes.clear();
    }
    out.shutdownOutput();
    reader.join();
    return new Measured(
        sent * 1000 / ChronoUnit.MILLIS.between(begin, clock.instant()) >> 20,
        (processorTime() - spent) / 1000 / Math.max(1, sent >> 20));
  }

  /** Sends a byte there and back for a while. */
  private Measured turned(SocketChannel out, SocketChannel in) throws Exception {
    Thread echo = Thread.ofPlatform().start(() -> echo(in));
    ByteBuffer one = ByteBuffer.allocateDirect(1);
    long turns = 0;
    long spent = processorTime();
    Instant begin = clock.instant();
    Instant end = begin.plusMillis(TURNS_MILLIS);
    while (clock.instant().isBefore(end)) {
      out.write(one.clear());
      out.read(one.clear());
      turns++;
    }
    long micros = ChronoUnit.MICROS.between(begin, clock.instant());
    long took = processorTime() - spent;
    out.shutdownOutput();
    echo.join();
    return new Measured(turns * 1_000_000 / micros, took / turns);
  }

  private static void drain(SocketChannel in) {
    ByteBuffer bytes = ByteBuffer.allocateDirect(256 << 10);
    try {
      while (in.read(bytes) >= 0) {
        bytes.clear();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void echo(SocketChannel in) {
    ByteBuffer one = ByteBuffer.allocateDirect(1);
    try {
      while (in.read(one.clear()) > 0) {
        in.write(one.flip());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
