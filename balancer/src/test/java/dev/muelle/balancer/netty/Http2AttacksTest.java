package dev.muelle.balancer.netty;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.balancer.LoadBalancer.Action;
import dev.muelle.balancer.clients.ClientHttp2;
import dev.muelle.balancer.netty.Http2Wire.Got;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** HTTP/2 that means harm: smuggling, floods, bombs. The target is what must not be fooled. */
@Timeout(120)
final class Http2AttacksTest {

  private final Rig rig = new Rig();
  private final List<String> heard = new java.util.concurrent.CopyOnWriteArrayList<>();
  private Backend backend;

  @BeforeEach
  void serve() throws Exception {
    backend =
        rig.backend((head, in, out) -> {
          heard.add(head);
          Backend.body(head, in);
          out.write(Backend.answer(200, "ok"));
          return true;
        });
    rig.secure(Certified.http2(Certified.ec("a.test")), new Action.Forward("tg"), backend);
  }

  @AfterEach
  void close() throws Exception {
    rig.close();
  }

  private void stillServes() throws Exception {
    try (Http2Wire wire = new Http2Wire(rig.port)) {
      wire.get(1);
      assertEquals("ok", wire.answer(1).text());
    }
  }

  private static String[] with(String... more) {
    return Http2Wire.request("GET", more);
  }

  /** Heads that are well-formed, and refused for what they ask. */
  @Test
  void refusedHeadsGetAnAnswer() throws Exception {
    Map<String[], Integer> heads =
        Map.of(
            Http2Wire.request("TRACE"),
            405,
            new String[] {":method", "CONNECT", ":authority", "a:1"},
            400,
            with("content-length", "x"),
            400,
            with("content_length", "3"),
            400,
            with("transfer_encoding", "chunked"),
            400,
            with("x-forwarded-for", "1,".repeat(40)),
            463,
            new String[] {":method", "GET", ":scheme", "https", ":path", "/#x", ":authority", "a"},
            400,
            new String[] {":method", "GET", ":scheme", "https", ":path", "/", ":authority", "u@a"},
            400);
    try (Http2Wire wire = new Http2Wire(rig.port)) {
      int stream = 1;
      for (Map.Entry<String[], Integer> one : heads.entrySet()) {
        wire.headers(stream, true, one.getKey());
        Got got = wire.answer(stream);
        String what = String.join(" ", one.getKey());
        assertTrue(
            got.status() == one.getValue() || got.reset == Http2Wire.PROTOCOL_ERROR,
            what + ": " + got.status() + " " + got.reset);
        stream += 2;
      }
      assertEquals(List.of(), heard);
    }
  }

  @Test
  void rapidResetsEndTheConnection() throws Exception {
    try (Http2Wire wire = new Http2Wire(rig.port)) {
      ByteArrayOutputStream flood = new ByteArrayOutputStream();
      for (int stream = 1; stream < 2 * 500; stream += 2) {
        flood.writeBytes(
            Http2Wire.bytes(
                Http2Wire.HEADERS,
                Http2Wire.END_HEADERS | Http2Wire.END_STREAM,
                stream,
                Http2Wire.block(with())));
        flood.writeBytes(
            Http2Wire.bytes(
                Http2Wire.RST_STREAM, 0, stream, (byte) 0, (byte) 0, (byte) 0, (byte) 8));
      }
      wire.raw(flood.toByteArray());
      assertEquals(Http2Wire.ENHANCE_YOUR_CALM, wire.ending());
    }
    stillServes();
  }

  /** Resets that the client makes the server send: CVE-2025-55163. */
  @Test
  void resetsThatTheServerIsMadeToSendEndTheConnection() throws Exception {
    try (Http2Wire wire = new Http2Wire(rig.port)) {
      ByteArrayOutputStream flood = new ByteArrayOutputStream();
      for (int stream = 1; stream < 2 * 500; stream += 2) {
        flood.writeBytes(
            Http2Wire.bytes(
                Http2Wire.HEADERS,
                Http2Wire.END_HEADERS,
                stream,
                Http2Wire.block(Http2Wire.request("POST"))));
        // an increment of nothing is an error of the stream
        flood.writeBytes(Http2Wire.bytes(Http2Wire.WINDOW_UPDATE, 0, stream, new byte[4]));
      }
      wire.raw(flood.toByteArray());
      assertEquals(Http2Wire.ENHANCE_YOUR_CALM, wire.ending());
    }
    stillServes();
  }

  @Test
  void floodsOfFramesThatAskForNothingEndTheConnection() throws Exception {
    Map<String, byte[]> floods =
        Map.of(
            "PING", Http2Wire.bytes(Http2Wire.PING, 0, 0, new byte[8]),
            "SETTINGS", Http2Wire.bytes(Http2Wire.SETTINGS, 0, 0),
            "PRIORITY", Http2Wire.bytes(Http2Wire.PRIORITY, 0, 1, new byte[5]),
            "GOAWAY", Http2Wire.bytes(Http2Wire.GOAWAY, 0, 0, new byte[8]),
            "unknown", Http2Wire.bytes(99, 0, 0, new byte[5]));
    for (Map.Entry<String, byte[]> flood : floods.entrySet()) {
      try (Http2Wire wire = new Http2Wire(rig.port)) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (int i = 0; i < 3 * ClientHttp2.MAX_CONTROL; i++) {
          all.writeBytes(flood.getValue());
        }
        wire.headers(1, false, Http2Wire.request("POST")); // GOAWAY alone would be taken leave of
        wire.raw(all.toByteArray());
        wire.drain();
        assertEquals(Http2Wire.ENHANCE_YOUR_CALM, wire.goAway, flood.getKey());
      }
    }
    try (Http2Wire wire = new Http2Wire(rig.port)) {
      wire.headers(1, false, Http2Wire.request("POST"));
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      for (int i = 0; i < 1000; i++) {
        all.writeBytes(Http2Wire.bytes(Http2Wire.DATA, 0, 1));
      }
      wire.raw(all.toByteArray());
      assertEquals(Http2Wire.ENHANCE_YOUR_CALM, wire.ending(), "empty DATA");
    }
    stillServes();
  }

  /** A client may not have heard yet of a reset; but it does so some time. */
  @Test
  void goingOnForLongWithWhatWasResetEndsTheConnection() throws Exception {
    try (Http2Wire wire = new Http2Wire(rig.port)) {
      wire.headers(1, false, Http2Wire.request("POST", "connection", "close"));
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      for (int i = 0; i <= ClientHttp2.MAX_LATE; i++) {
        all.writeBytes(Http2Wire.bytes(Http2Wire.DATA, 0, 1));
      }
      wire.raw(all.toByteArray());
      assertEquals(Http2Wire.ENHANCE_YOUR_CALM, wire.ending());
      assertEquals(1, wire.at(1).resets);
    }
    stillServes();
  }

  /** Before a client knows how many requests it may make, it may have made more. */
  @Test
  void whatIsLateForManyThatWereRefusedEndsNothing() throws Exception {
    try (Http2Wire wire = new Http2Wire(rig.port)) {
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      byte[] head = Http2Wire.block(Http2Wire.request("POST"));
      int first = 2 * 128 + 1; // that is one too many
      int end = first + 2 * 172;
      for (int stream = 1; stream < end; stream += 2) {
        all.writeBytes(Http2Wire.bytes(Http2Wire.HEADERS, Http2Wire.END_HEADERS, stream, head));
      }
      for (int stream = first; stream < end; stream += 2) {
        for (int i = 0; i < 5; i++) {
          all.writeBytes(Http2Wire.bytes(Http2Wire.DATA, 0, stream, (byte) 'x'));
        }
      }
      wire.raw(all.toByteArray());
      wire.data(1, true);
      assertEquals("ok", wire.answer(1).text());
      assertEquals(1, wire.at(first).resets);
    }
  }

  @Test
  void aHeadWithoutEndEndsTheConnection() throws Exception {
    for (byte[] part : List.of(new byte[0], Http2Wire.block("x-a", "b".repeat(1000)))) {
      try (Http2Wire wire = new Http2Wire(rig.port)) {
        wire.frame(Http2Wire.HEADERS, 0, 1, Http2Wire.block(with()));
        byte[] more = Http2Wire.bytes(Http2Wire.CONTINUATION, 0, 1, part);
        for (int i = 0; i < 2000; i++) {
          wire.raw(more);
        }
        assertTrue(wire.ending() > 0);
      }
    }
    assertEquals(List.of(), heard);
    stillServes();
  }

  @Test
  void aHeadThatUnpacksToMuchIsRefused() throws Exception {
    try (Http2Wire wire = new Http2Wire(rig.port)) {
      String[] many = new String[8 + 2 * 60];
      System.arraycopy(with(), 0, many, 0, 8);
      for (int i = 8; i < many.length; i += 2) {
        many[i] = "x-" + i;
        many[i + 1] = "v".repeat(1200);
      }
      // longer than a frame may be: in parts
      byte[] block = Http2Wire.block(many);
      for (int at = 0; at < block.length; at += 16_000) {
        int next = Math.min(block.length, at + 16_000);
        wire.frame(
            at == 0 ? Http2Wire.HEADERS : Http2Wire.CONTINUATION,
            (at == 0 ? Http2Wire.END_STREAM : 0)
                | (next == block.length ? Http2Wire.END_HEADERS : 0),
            1,
            java.util.Arrays.copyOfRange(block, at, next));
      }
      assertEquals(400, wire.answer(1).status());
      // one field above 16 KiB
      String[] long1 = with("x-long", "v".repeat(16_000), "x-longer", "v".repeat(17_000));
      byte[] two = Http2Wire.block(long1);
      wire.frame(
          Http2Wire.HEADERS, Http2Wire.END_STREAM, 3, java.util.Arrays.copyOfRange(two, 0, 16_000));
      wire.frame(Http2Wire.CONTINUATION, 0, 3, java.util.Arrays.copyOfRange(two, 16_000, 32_000));
      wire.frame(
          Http2Wire.CONTINUATION,
          Http2Wire.END_HEADERS,
          3,
          java.util.Arrays.copyOfRange(two, 32_000, two.length));
      assertEquals(400, wire.answer(3).status());
      // an indexed field of 4,000 bytes, two hundred thousand times
      ByteArrayOutputStream bomb = new ByteArrayOutputStream();
      bomb.writeBytes(Http2Wire.block(with()));
      byte[] large = Http2Wire.block("x-bomb", "v".repeat(3900));
      large[0] = 0x40; // is kept in the table
      bomb.writeBytes(large);
      for (int i = 0; i < 10_000; i++) {
        bomb.write(0xbe); // as before
      }
      wire.frame(
          Http2Wire.HEADERS, Http2Wire.END_STREAM | Http2Wire.END_HEADERS, 5, bomb.toByteArray());
      wire.answer(5);
      assertTrue(wire.goAway > 0 || wire.at(5).status() == 400);
    }
    assertEquals(List.of(), heard);
    stillServes();
  }

  @Test
  void whatIsNotHttp2EndsTheConnection() throws Exception {
    Random random = new Random(11);
    for (int i = 0; i < 100; i++) {
      try (Http2Wire wire = new Http2Wire(rig.port)) {
        byte[] noise = new byte[9 + random.nextInt(4000)];
        random.nextBytes(noise);
        if (i % 2 == 0) { // of a plausible kind and length
          noise[0] = 0;
          noise[1] = (byte) (noise.length - 9 >> 8);
          noise[2] = (byte) (noise.length - 9);
          noise[3] = (byte) random.nextInt(10);
        }
        wire.raw(noise);
        wire.socket.shutdownOutput();
        wire.drain(); // ends
      } catch (IOException e) {
        // cut off while there was more to read: as good
      }
    }
    assertEquals(List.of(), heard);
    stillServes();
  }

  /** Heads out of a seed: whatever is in them, a target gets at most one request of each. */
  @Test
  void noHeadBecomesTwoRequests() throws Exception {
    Random random = new Random(17);
    String[] names = {
      "x-a", "host", "content-length", "transfer-encoding", "te", "cookie", "connection", "expect",
      ":path", ":authority", ":method", "x\r\ny", "x ", "X-B", "upgrade", "trailer"
    };
    String[] values = {
      "1",
      "0",
      "chunked",
      "a.test",
      "5\r\n\r\nGET /smuggled HTTP/1.1\r\n",
      "\n",
      "",
      " ",
      "100-continue",
      "trailers",
      "/smuggled",
      "a\0b",
      "\u00e9",
      "5, 5",
      "close"
    };
    int sent = 0;
    for (int round = 0; round < 40; round++) {
      try (Http2Wire wire = new Http2Wire(rig.port)) {
        for (int stream = 1; stream < 20 && wire.goAway < 0; stream += 2) {
          String[] more = new String[2 * (1 + random.nextInt(3))];
          for (int i = 0; i < more.length; i += 2) {
            more[i] = names[random.nextInt(names.length)];
            more[i + 1] = values[random.nextInt(values.length)];
          }
          wire.headers(stream, false, Http2Wire.request("POST", more));
          wire.data(stream, true, Rig.bytes(random.nextBoolean() ? "" : "12345"));
          sent++;
          assertTrue(wire.answer(stream).over() || wire.goAway >= 0);
        }
      } catch (java.net.SocketException e) {
        // cut off: as good
      }
    }
    assertTrue(heard.size() <= sent);
    for (String head : heard) {
      assertFalse(head.startsWith("GET"), head);
      assertEquals(1, head.split("\r\n[Hh]ost:", -1).length - 1, head);
      assertFalse(
          head.toLowerCase(java.util.Locale.ROOT).contains("content-length")
              && head.toLowerCase(java.util.Locale.ROOT).contains("transfer-encoding"),
          head);
    }
  }
}
