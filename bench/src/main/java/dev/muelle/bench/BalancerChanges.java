package dev.muelle.bench;

import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.LoadBalancer.Action;
import dev.muelle.balancer.LoadBalancer.Listener;
import dev.muelle.balancer.LoadBalancer.Rule;
import dev.muelle.balancer.LoadBalancer.TargetGroup;
import dev.muelle.balancer.netty.NettyBalancer;
import dev.muelle.balancer.rules.Condition;
import dev.muelle.balancer.rules.Wildcard;
import io.netty.util.concurrent.Ticker;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

/**
 * How soon a change of a rule or a target is in effect, with many of both and while others ask all
 * the time. Arguments: a port to balance, the first of the targets' ports (who answers {@code
 * /port} with its own), how many targets, how many rules, how many changes. Prints {@code rule P50
 * P99 MOST}, {@code target …} and {@code put …} in microseconds, from before the change is asked
 * for to the first answer that shows it, and to its acknowledgement; then {@code asked N} and
 * {@code failed N}.
 */
public final class BalancerChanges {

  private static final Ticker TICKER = Ticker.systemTicker();
  private static final int CLIENTS = 16;
  private static final String ONE = "one";

  /** What is measured is not how long a line they stand in. */
  private static final long PAUSE_NANOS = 1_000_000;

  private BalancerChanges() {}

  /** See the class. */
  public static void main(String[] arguments) throws Exception {
    int port = Integer.parseInt(arguments[0]);
    int first = Integer.parseInt(arguments[1]);
    int targets = Integer.parseInt(arguments[2]);
    int rules = Integer.parseInt(arguments[3]);
    int changes = Integer.parseInt(arguments[4]);
    LongAdder asked = new LongAdder();
    LongAdder failed = new LongAdder();
    AtomicBoolean over = new AtomicBoolean();
    List<Long> rule = new ArrayList<>();
    List<Long> target = new ArrayList<>();
    List<Long> put = new ArrayList<>();
    try (NettyBalancer balancer =
        new NettyBalancer(Clock.systemUTC(), new SplittableRandom(1), 1)) {
      List<Rule> all = BalancerHost.rules(rules);
      put(balancer, wanted(port, first, targets, all, 0));
      List<Thread> clients = new ArrayList<>();
      for (int i = 0; i < CLIENTS; i++) {
        clients.add(Thread.ofPlatform().start(() -> ask(port, over, asked, failed)));
      }
      try (Client client = new Client(port)) {
        int unseen = changes / 2; // the virtual machine warms up
        for (int i = 1; i <= unseen + 2 * changes; i++) {
          // The rules are read anew each time, as they are when one of them was modified.
          LoadBalancer next = wanted(port, first, targets, BalancerHost.rules(rules), i);
          long begin = TICKER.nanoTime();
          put(balancer, next);
          long acknowledged = TICKER.nanoTime() - begin;
          String path = i % 2 == 0 ? "/one/port" : "/changes";
          String expected = i % 2 == 0 ? port(first, i) : "rule-" + rule(i);
          while (!client.get(path).equals(expected)) {
            failed.increment(); // it was acknowledged, so everybody has to see it
          }
          if (i > unseen) {
            put.add(acknowledged);
            (i % 2 == 0 ? target : rule).add(TICKER.nanoTime() - begin);
          }
        }
      }
      over.set(true);
      for (Thread one : clients) {
        one.join();
      }
    }
    print("rule", rule);
    print("target", target);
    print("put", put);
    System.out.println("asked " + asked);
    System.out.println("failed " + failed);
  }

  private static int rule(int change) {
    return (change + 1) / 2;
  }

  private static String port(int first, int change) {
    return String.valueOf(first + change / 2 % 2);
  }

  private static void put(NettyBalancer balancer, LoadBalancer wanted) {
    Map<String, String> problems = balancer.put(wanted);
    if (!problems.isEmpty()) {
      throw new IllegalStateException(problems.toString());
    }
  }

  /** As it is after so many changes: of the last rule, and of a target, by turns. */
  private static LoadBalancer wanted(
      int port, int first, int targets, List<Rule> many, int change) {
    List<Rule> rules = new ArrayList<>(many);
    rules.add(when("/one/*", new Action.Forward(ONE)));
    rules.add(
        when("/changes", new Action.FixedResponse(200, "text/plain", "rule-" + rule(change))));
    TargetGroup one = BalancerHost.group(ONE, Integer.parseInt(port(first, change)), 1);
    return BalancerHost.wanted(
        List.of(new Listener("plain", port, rules, new Action.Forward(BalancerHost.GROUP))),
        // Of the many, one comes or goes each time.
        Map.of(
            BalancerHost.GROUP,
            BalancerHost.group(BalancerHost.GROUP, first, targets - change % 2),
            ONE,
            one));
  }

  private static Rule when(String path, Action action) {
    return new Rule(List.of(new Condition.PathPattern(List.of(new Wildcard(path, false)))), action);
  }

  private static void ask(int port, AtomicBoolean over, LongAdder asked, LongAdder failed) {
    try (Client client = new Client(port)) {
      while (!over.get()) {
        client.get("/");
        asked.increment();
        LockSupport.parkNanos(PAUSE_NANOS);
      }
    } catch (IOException e) {
      System.err.println(e.getMessage());
      failed.increment();
    }
  }

  private static void print(String what, List<Long> nanos) {
    Collections.sort(nanos);
    System.out.printf(
        "%s %d %d %d%n",
        what,
        nanos.get(nanos.size() / 2) / 1000,
        nanos.get(nanos.size() * 99 / 100) / 1000,
        nanos.getLast() / 1000);
  }

  /** A connection that asks one thing after the other. */
  private static final class Client implements AutoCloseable {
    private final SocketChannel channel;
    private final ByteBuffer answer = ByteBuffer.allocate(16 * 1024);

    Client(int port) throws IOException {
      channel = SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    }

    /** The body of an answer that has to be one of success. */
    String get(String path) throws IOException {
      channel.write(
          ByteBuffer.wrap(
              ("GET " + path + " HTTP/1.1\r\nHost: bench\r\n\r\n")
                  .getBytes(StandardCharsets.US_ASCII)));
      answer.clear();
      while (true) {
        if (channel.read(answer) < 0) {
          throw new IOException("the connection was closed");
        }
        String text = new String(answer.array(), 0, answer.position(), StandardCharsets.ISO_8859_1);
        int head = text.indexOf("\r\n\r\n");
        if (head >= 0) {
          if (!text.startsWith("HTTP/1.1 200")) {
            throw new IOException(path + ": " + text.lines().findFirst().orElse(""));
          }
          int length = text.toLowerCase(Locale.ROOT).indexOf("\r\ncontent-length:");
          int size =
              Integer.parseInt(
                  text.substring(length + 17, text.indexOf("\r\n", length + 2)).strip());
          if (text.length() == head + 4 + size) {
            return text.substring(head + 4);
          }
        }
      }
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }
}
