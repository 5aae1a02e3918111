package dev.muelle.balancer.tls;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.balancer.netty.Certified;
import dev.muelle.balancer.tls.ClientHello.Malformed;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import org.junit.jupiter.api.Test;

class ClientHelloTest {

  private static byte[] hello(String name, List<String> protocols, String... suites)
      throws Exception {
    SSLEngine engine = Certified.trusting().createSSLEngine();
    engine.setUseClientMode(true);
    SSLParameters parameters = engine.getSSLParameters();
    parameters.setServerNames(List.of(new SNIHostName(name)));
    parameters.setProtocols(protocols.toArray(String[]::new));
    if (suites.length > 0) {
      parameters.setCipherSuites(suites);
    }
    engine.setSSLParameters(parameters);
    ByteBuffer out = ByteBuffer.allocate(32 * 1024);
    engine.wrap(ByteBuffer.allocate(0), out);
    return Arrays.copyOf(out.array(), out.position());
  }

  private static ClientHello peek(byte[] bytes) throws Malformed {
    ByteBuf in = Unpooled.wrappedBuffer(bytes);
    ClientHello hello = ClientHello.peek(in);
    assertEquals(bytes.length, in.readableBytes(), "nothing is taken");
    return hello;
  }

  /** The same message, in records of at most this many bytes. */
  private static byte[] fragmented(byte[] whole, int size) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (int at = 5; at < whole.length; at += size) {
      int part = Math.min(size, whole.length - at);
      out.writeBytes(new byte[] {22, 3, 1, (byte) (part >> 8), (byte) part});
      out.write(whole, at, part);
    }
    return out.toByteArray();
  }

  @Test
  void aRealOneIsReadWhereverItIsCut() throws Exception {
    byte[] whole = hello("WWW.example.com", List.of("TLSv1.3", "TLSv1.2"));
    for (byte[] bytes : List.of(whole, fragmented(whole, 1), fragmented(whole, 100))) {
      for (int length = 0; length < bytes.length; length++) {
        assertNull(peek(Arrays.copyOf(bytes, length)), "after " + length + " bytes");
      }
      ClientHello hello = peek(bytes);
      assertNotNull(hello);
      assertEquals("www.example.com", hello.name());
      assertTrue(hello.takesEcdsa(true));
    }
  }

  @Test
  void whatAClientCanCheckIsSeen() throws Exception {
    ClientHello rsa =
        peek(hello("a.b", List.of("TLSv1.2"), "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"));
    assertFalse(rsa.takesEcdsa(true));
    ClientHello ecdsa =
        peek(hello("a.b", List.of("TLSv1.2"), "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"));
    assertTrue(ecdsa.takesEcdsa(false));
    ClientHello modern = peek(hello("a.b", List.of("TLSv1.3"), "TLS_AES_128_GCM_SHA256"));
    assertTrue(modern.takesEcdsa(true));
    assertFalse(modern.takesEcdsa(false), "its suites are of no use to a server without TLS 1.3");
  }

  @Test
  void aServerNameHasItsLimit() throws Exception {
    byte[] whole = hello("x".repeat(63) + ".example.com", List.of("TLSv1.3"));
    byte[] name = ("x".repeat(63) + ".example.com").getBytes(StandardCharsets.US_ASCII);
    int at = indexOf(whole, name);
    int more = 10_000 - name.length;
    byte[] longer = new byte[whole.length + more];
    System.arraycopy(whole, 0, longer, 0, at);
    Arrays.fill(longer, at, at + 10_000, (byte) 'x');
    System.arraycopy(whole, at + name.length, longer, at + 10_000, whole.length - at - name.length);
    // Every length around it: record, message, extensions, extension, list, name.
    for (int place : new int[] {3, 7, extensionsAt(whole), at - 7, at - 5, at - 2}) {
      int length = ((whole[place] & 255) << 8 | whole[place + 1] & 255) + more;
      longer[place] = (byte) (length >> 8);
      longer[place + 1] = (byte) length;
    }
    Malformed refused = assertThrows(Malformed.class, () -> peek(longer));
    assertEquals("server name of 10000 bytes", refused.getMessage());
  }

  private static int extensionsAt(byte[] hello) {
    int at = 5 + 4 + 34;
    at += 1 + (hello[at] & 255);
    at += 2 + ((hello[at] & 255) << 8 | hello[at + 1] & 255);
    return at + 1 + (hello[at] & 255);
  }

  private static int indexOf(byte[] whole, byte[] part) {
    for (int at = 0; at <= whole.length - part.length; at++) {
      if (Arrays.equals(whole, at, at + part.length, part, 0, part.length)) {
        return at;
      }
    }
    throw new AssertionError("not there");
  }

  @Test
  void whatCanNeverBeOneIsRefusedAtOnce() {
    for (String wrong :
        List.of("GET / HTTP/1.1\r\n", "\0\0\0\0\0", "\u0016\u0002", "\u0016\u0003\u0001\0\0")) {
      assertThrows(Malformed.class, () -> peek(wrong.getBytes(StandardCharsets.ISO_8859_1)), wrong);
    }
    byte[] huge = {22, 3, 1, 0x3F, (byte) 0xFF, 1, 0, 0x7F, (byte) 0xFF};
    assertThrows(Malformed.class, () -> peek(huge), "longer than is ever read");
  }

  @Test
  void damagedOnesAreReadOrRefused() throws Exception {
    byte[] whole = hello("www.example.com", List.of("TLSv1.3", "TLSv1.2"));
    Random random = new Random(17);
    int refused = 0;
    for (int i = 0; i < 20_000; i++) {
      byte[] damaged = whole.clone();
      for (int n = random.nextInt(4); n >= 0; n--) {
        damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
      }
      try {
        peek(damaged);
      } catch (Malformed e) {
        refused++;
      }
    }
    assertTrue(refused > 500, refused + " refused");
  }
}
