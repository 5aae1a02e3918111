package dev.muelle.balancer.messages;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.balancer.LoadBalancer.Desync;
import dev.muelle.balancer.LoadBalancer.ForwardedFor;
import dev.muelle.balancer.LoadBalancer.Headers;
import dev.muelle.balancer.http.BadMessage;
import dev.muelle.balancer.http.Edits;
import dev.muelle.balancer.http.Head;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Connections at random, read by us and by llhttp: whatever both take for a request must be the
 * same one, with the same body and the same end; and what we tell a target must be, for llhttp, the
 * one request that we meant. {@code -Dmuelle.cases=5000000} reads as many, {@code -Dmuelle.seed=7}
 * others.
 */
@Timeout(120)
final class ParserFuzzTest {

  private static final int CASES = Integer.getInteger("muelle.cases", 10_000);
  private static final int BATCH = 1000;

  private static final List<String> METHODS =
      List.of("GET", "POST", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "PATCH", "CONNECT");
  private static final List<String> TARGETS =
      List.of(
          "/", "/a", "/a?b=c", "*", "http://x/a", "//a", "/a%00", "/\u00e9", "a", "/a b", "/a#b");
  private static final List<String> VERSIONS =
      List.of("1.1", "1.1", "1.1", "1.1", "1.1", "1.0", "1.2", "2.0", "1.1 ", "0.9");
  private static final Request.Arrival ARRIVAL =
      new Request.Arrival("192.0.2.1", 1234, 80, "lb.test", null, Edits.NONE);
  private static final Headers HEADERS =
      new Headers(false, ForwardedFor.APPEND, false, false, Desync.MONITOR, false);

  /**
   * A request of ours.
   *
   * @param told what a target is told
   */
  private record Message(String seen, String target, String body, byte[] told) {}

  private record Reading(String end, List<Message> messages) {}

  @Test
  void bothReadTheSameAndTargetsReadWhatWeMeant() throws Exception {
    RandomGenerator random = new SplittableRandom(Long.getLong("muelle.seed", 20261122));
    int agreed = 0;
    int refused = 0;
    try (Llhttp llhttp = new Llhttp()) {
      for (int done = 0; done < CASES; done += BATCH) {
        List<byte[]> connections = new ArrayList<>();
        List<Reading> ours = new ArrayList<>();
        List<byte[]> told = new ArrayList<>();
        List<Message> meant = new ArrayList<>();
        for (int i = 0; i < BATCH; i++) {
          byte[] bytes = connection(random);
          Reading reading = read(bytes, new int[] {bytes.length}, random);
          Reading again = read(bytes, cuts(bytes.length, random), random);
          assertEquals(shown(reading), shown(again), () -> "by parts: " + printed(bytes));
          connections.add(bytes);
          ours.add(reading);
          for (Message one : reading.messages()) {
            told.add(one.told());
            meant.add(one);
          }
        }
        List<Llhttp.Reading> theirs = llhttp.read(connections);
        for (int i = 0; i < BATCH; i++) {
          unlessAlike(connections.get(i), ours.get(i), theirs.get(i));
          agreed += Math.min(ours.get(i).messages().size(), theirs.get(i).messages().size());
          refused += ours.get(i).end().equals("refused") ? 1 : 0;
        }
        List<Llhttp.Reading> arrived = llhttp.read(told);
        for (int i = 0; i < told.size(); i++) {
          unlessMeant(meant.get(i), arrived.get(i));
        }
      }
    }
    assertTrue(agreed > CASES / 4, "hardly anything was read: " + agreed);
    assertTrue(refused > CASES / 4, "hardly anything was refused: " + refused);
  }

  private static void unlessAlike(byte[] bytes, Reading ours, Llhttp.Reading theirs) {
    int both = Math.min(ours.messages().size(), theirs.messages().size());
    for (int i = 0; i < both; i++) {
      assertEquals(theirs.messages().get(i), ours.messages().get(i).seen(), () -> printed(bytes));
    }
    boolean alike =
        switch (ours.end()) {
          case "refused" -> true; // stricter
          case "over" -> theirs.messages().size() >= both; // we read no more
          case "within", "between" ->
              theirs.messages().size() <= ours.messages().size()
                  && (theirs.failed()
                      || theirs.messages().size() == ours.messages().size()
                          && theirs.end().equals(ours.end()));
          default -> throw new IllegalStateException(ours.end());
        };
    assertTrue(
        alike && (both == ours.messages().size() || theirs.failed()),
        () ->
            "we: "
                + ours.end()
                + " after "
                + ours.messages().size()
                + ", llhttp: "
                + theirs.end()
                + " after "
                + theirs.messages().size()
                + "\n"
                + printed(bytes));
  }

  private static void unlessMeant(Message meant, Llhttp.Reading arrived) {
    if (arrived.end().equals("HPE_INVALID_METHOD")) {
      return; // it knows those of its list alone
    }
    assertTrue(
        arrived.messages().size() == 1 && !arrived.failed() && !arrived.end().equals("within"),
        () -> arrived + "\n" + printed(meant.told()));
    String[] parts = arrived.messages().getFirst().split(",", -1);
    assertEquals(hex(meant.target()), parts[0], () -> printed(meant.told()));
    assertEquals(meant.body(), parts[2], () -> printed(meant.told()));
  }

  private static byte[] connection(RandomGenerator random) {
    StringBuilder text = new StringBuilder();
    int requests = 1 + random.nextInt(3);
    for (int i = 0; i < requests; i++) {
      text.append(Odd.one(METHODS, random)).append(' ');
      text.append(random.nextInt(3) == 0 ? Odd.one(TARGETS, random) : "/a").append(" HTTP/");
      text.append(random.nextInt(3) == 0 ? Odd.one(VERSIONS, random) : "1.1").append("\r\n");
      text.append(random.nextInt(20) == 0 ? "" : "Host: x\r\n");
      int fields = random.nextInt(40) == 0 ? 40 : random.nextInt(4);
      for (int field = 0; field < fields; field++) {
        boolean plain = fields > 30 || random.nextInt(3) == 0;
        text.append(plain ? "X-A" : Odd.one(Odd.NAMES, random)).append(':');
        text.append(Odd.one(List.of("", " ", "  ", "\t"), random));
        text.append(plain ? "b" : Odd.one(Odd.VALUES, random))
            .append(plain ? "\r\n" : Odd.one(Odd.ENDS, random));
      }
      text.append(random.nextInt(20) == 0 ? "\n" : "\r\n").append(Odd.one(Odd.BODIES, random));
    }
    byte[] bytes = text.toString().getBytes(StandardCharsets.ISO_8859_1);
    int changes = random.nextInt(4) == 0 ? 1 + random.nextInt(3) : 0;
    for (int i = 0; i < changes && bytes.length > 1; i++) {
      int at = random.nextInt(bytes.length);
      switch (random.nextInt(3)) {
        case 0 -> bytes[at] = (byte) random.nextInt(256);
        case 1 -> { // one less
          byte[] less = Arrays.copyOf(bytes, bytes.length - 1);
          System.arraycopy(bytes, at + 1, less, at, bytes.length - at - 1);
          bytes = less;
        }
        default -> { // one twice
          byte[] more = Arrays.copyOf(bytes, bytes.length + 1);
          System.arraycopy(bytes, at, more, at + 1, bytes.length - at);
          bytes = more;
        }
      }
    }
    return bytes;
  }

  private static int[] cuts(int length, RandomGenerator random) {
    int[] cuts = random.ints(3, 0, length + 1).sorted().toArray();
    int[] all = Arrays.copyOf(cuts, 4);
    all[3] = length;
    return all;
  }

  /** As a client's connection reads, with what comes in parts. */
  private static Reading read(byte[] bytes, int[] cuts, RandomGenerator random) {
    List<Message> messages = new ArrayList<>();
    ByteBuf in = Unpooled.buffer(bytes.length + 1);
    ByteBuf payload = Unpooled.buffer();
    ByteArrayOutputStream raw = new ByteArrayOutputStream();
    Request request = null;
    int from = 0;
    try {
      for (int cut : cuts) {
        in.writeBytes(bytes, from, cut - from);
        from = cut;
        while (true) {
          if (request == null) {
            Head head = Head.read(in, Head.Limits.REQUEST);
            if (head == null) {
              break;
            }
            request = new Request(head);
          }
          int length = request.body.take(in, payload);
          byte[] part = new byte[length];
          in.readBytes(part);
          raw.writeBytes(part);
          if (!request.body.done()) {
            break;
          }
          messages.add(message(request, payload, raw, random));
          if (!request.keepAlive || request.upgrade != null) {
            return new Reading("over", messages);
          }
          request = null;
          payload.clear();
          raw.reset();
        }
      }
    } catch (BadMessage e) {
      return new Reading("refused", messages);
    }
    return new Reading(request == null ? "between" : "within", messages);
  }

  private static Message message(
      Request request, ByteBuf payload, ByteArrayOutputStream raw, RandomGenerator random) {
    StringBuilder fields = new StringBuilder();
    for (int i = 0; i < request.head.count(); i++) {
      request.head.show(
          i,
          (name, value) ->
              fields.append(name).append(':').append(latin(value.toByteArray())).append('\n'));
    }
    byte[] body = new byte[payload.readableBytes()];
    payload.getBytes(payload.readerIndex(), body);
    ByteArrayOutputStream told = new ByteArrayOutputStream();
    told.writeBytes(request.write(ARRIVAL, null, HEADERS, random, Instant.EPOCH));
    told.writeBytes(raw.toByteArray());
    String bodyHex = HexFormat.of().formatHex(body);
    return new Message(
        hex(request.head.line().split(" ", -1)[1]) + "," + hex(fields.toString()) + "," + bodyHex,
        request.target,
        bodyHex,
        told.toByteArray());
  }

  private static String shown(Reading reading) {
    return reading.end() + reading.messages().stream().map(Message::seen).toList();
  }

  private static String latin(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  private static String hex(String text) {
    return HexFormat.of().formatHex(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  private static String printed(byte[] bytes) {
    return latin(bytes).replace("\r", "\\r").replace("\n", "\\n\n");
  }
}
