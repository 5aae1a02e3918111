package dev.muelle.services.ecs.exec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.muelle.services.ecs.exec.AgentMessage.MalformedException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class AgentMessageTest {

  private static final UUID ID = UUID.fromString("dd01e56b-ff48-483e-a508-b5f073f31b16");

  private static AgentMessage message(String payload) {
    return new AgentMessage(
        AgentMessage.INPUT,
        1503434274948L,
        7,
        1,
        ID,
        AgentMessage.DATA,
        payload.getBytes(StandardCharsets.UTF_8));
  }

  /** Offsets as in the plugin's clientmessage.go; the id's halves change places. */
  @Test
  void itsPartsLieWhereThePluginLooksForThem() {
    byte[] bytes = message("hola").encode();
    HexFormat hex = HexFormat.of();
    assertEquals("00000074", hex.formatHex(bytes, 0, 4));
    assertEquals(
        "input_stream_data               ", new String(bytes, 4, 32, StandardCharsets.US_ASCII));
    assertEquals("00000001", hex.formatHex(bytes, 36, 40));
    assertEquals("0000015e0bd34cc4".length(), hex.formatHex(bytes, 40, 48).length());
    assertEquals(1503434274948L, Long.parseLong(hex.formatHex(bytes, 40, 48), 16));
    assertEquals("0000000000000007", hex.formatHex(bytes, 48, 56));
    assertEquals("0000000000000001", hex.formatHex(bytes, 56, 64));
    assertEquals("a508b5f073f31b16dd01e56bff48483e", hex.formatHex(bytes, 64, 80));
    assertEquals(
        "b221d9dbb083a7f33428d7c2a3c3198ae925614d70210e28716ccaa7cd4ddb79",
        hex.formatHex(bytes, 80, 112)); // sha256sum of hola
    assertEquals("0000000100000004686f6c61", hex.formatHex(bytes, 112, bytes.length));
  }

  @Test
  void whatWasEncodedIsDecoded() throws Exception {
    for (String payload : new String[] {"", "x", "áéí".repeat(1000)}) {
      AgentMessage before = message(payload);
      AgentMessage after = AgentMessage.decode(before.encode());
      assertEquals(before.type(), after.type());
      assertEquals(before.id(), after.id());
      assertEquals(before.sequence(), after.sequence());
      assertEquals(before.createdMillis(), after.createdMillis());
      assertEquals(before.payloadType(), after.payloadType());
      assertArrayEquals(before.payload(), after.payload());
    }
  }

  @Test
  void whatIsNoMessageIsRefusedAndNothingElseHappens() {
    byte[] good = message("hola").encode();
    Random random = new Random(4);
    for (int length = 0; length < good.length; length++) {
      byte[] cut = Arrays.copyOf(good, length);
      assertThrows(MalformedException.class, () -> AgentMessage.decode(cut), "length " + length);
    }
    byte[] more = Arrays.copyOf(good, good.length + 1);
    assertThrows(MalformedException.class, () -> AgentMessage.decode(more));
    byte[] forged = good.clone();
    forged[forged.length - 1]++;
    assertThrows(MalformedException.class, () -> AgentMessage.decode(forged));
    for (int i = 0; i < 10_000; i++) {
      byte[] noise = new byte[random.nextInt(300)];
      random.nextBytes(noise);
      assertThrows(MalformedException.class, () -> AgentMessage.decode(noise));
    }
    byte[] header = good.clone();
    for (int value : new int[] {-1, 0, 115, 121, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
      java.nio.ByteBuffer.wrap(header).putInt(value);
      assertThrows(MalformedException.class, () -> AgentMessage.decode(header), "header " + value);
    }
  }
}
