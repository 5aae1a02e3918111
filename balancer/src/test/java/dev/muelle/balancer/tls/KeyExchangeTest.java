package dev.muelle.balancer.tls;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Reading a server's first flight, whatever comes. */
class KeyExchangeTest {

  /** A ServerHello of TLS 1.3 with versions and a key share of x25519 (shortened). */
  private static final byte[] HELLO =
      HexFormat.of()
          .parseHex(
              "160303003a" // a record
                  + "02000036" // a ServerHello
                  + "0303"
                  + "00".repeat(32)
                  + "00" // no session
                  + "130100" // suite, no compression
                  + "000e"
                  + "002b00020304" // versions
                  + "00330004001d0000"); // the key share

  @Test
  void nothingIsSaidBeforeItIsKnown() {
    for (int length = 0; length < HELLO.length; length++) {
      assertEquals(null, KeyExchange.find(Arrays.copyOf(HELLO, length)), "of " + length);
    }
    assertEquals("x25519", KeyExchange.find(HELLO));
  }

  @Test
  void whateverComesIsReadWithinItsBounds() {
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < 20_000; i++) {
      byte[] bytes = HELLO.clone();
      for (int changes = random.nextInt(1, 6); changes > 0; changes--) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
      }
      KeyExchange.find(Arrays.copyOf(bytes, random.nextInt(bytes.length + 20)));
    }
  }

  @Test
  void anAlertEndsTheSearch() {
    assertEquals("", KeyExchange.find(new byte[] {21, 3, 3, 0, 2, 2, 40}));
  }
}
