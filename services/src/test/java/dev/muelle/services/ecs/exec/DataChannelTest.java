package dev.muelle.services.ecs.exec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.muelle.engine.EngineException;
import dev.muelle.engine.Terminal;
import dev.muelle.loop.VirtualTimers;
import dev.muelle.wire.http.WebSocket;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A session against a client in the plugin's place. */
@Timeout(300)
class DataChannelTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final VirtualTimers timers = new VirtualTimers(Instant.EPOCH);
  private final Program program = new Program();

  /** A terminal whose program the test plays. */
  private static final class Program implements Terminal {
    private static final byte[] END = new byte[0];
    final BlockingQueue<byte[]> prints = new ArrayBlockingQueue<>(10_000);
    final ByteArrayOutputStream typed = new ByteArrayOutputStream();
    final List<String> sizes = new CopyOnWriteArrayList<>();
    volatile boolean closed;
    volatile boolean reads = true;

    void print(String text) {
      prints.add(text.getBytes(StandardCharsets.UTF_8));
    }

    String typed() {
      synchronized (typed) {
        return typed.toString(StandardCharsets.UTF_8);
      }
    }

    @Override
    public int read(byte[] into) {
      try {
        byte[] next = prints.take();
        System.arraycopy(next, 0, into, 0, next.length);
        return next == END ? -1 : next.length;
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }

    @Override
    public void write(byte[] bytes) {
      await(() -> reads);
      synchronized (typed) {
        typed.writeBytes(bytes);
      }
    }

    @Override
    public void resize(int columns, int rows) {
      sizes.add(columns + "x" + rows);
    }

    @Override
    public int exitCode() {
      return 0;
    }

    @Override
    public void end() {
      prints.add(END);
    }

    @Override
    public void close() {
      closed = true;
    }
  }

  /** The plugin's part. */
  private final class Client implements WebSocket.Peer {
    final DataChannel channel;
    final List<AgentMessage> heard = new CopyOnWriteArrayList<>();
    final List<Long> acknowledged = new CopyOnWriteArrayList<>();
    final StringBuffer output = new StringBuffer();
    volatile String closedWith = "";
    volatile int closeCode;
    volatile boolean deaf;
    final Map<Long, AgentMessage> early = new HashMap<>();
    volatile long expected;
    long sequence;

    Client(Supplier<Terminal> terminal) {
      channel =
          new DataChannel("s", "secret", timers, () -> UUID.randomUUID().toString(), terminal);
      channel.opened(this);
    }

    Client token(String token) {
      channel.text("{\"MessageSchemaVersion\":\"1.0\",\"TokenValue\":\"" + token + "\"}");
      return this;
    }

    @Override
    public synchronized void send(byte[] bytes) {
      if (deaf) {
        return;
      }
      try {
        AgentMessage message = AgentMessage.decode(bytes);
        heard.add(message);
        JsonNode content;
        switch (message.type()) {
          case AgentMessage.ACKNOWLEDGE -> {
            content = JSON.readTree(message.payload());
            acknowledged.add(content.path("AcknowledgedMessageSequenceNumber").asLong());
          }
          case AgentMessage.OUTPUT -> {
            if (message.sequence() >= expected) {
              early.put(message.sequence(), message);
            }
            for (AgentMessage next = early.remove(expected);
                next != null;
                next = early.remove(expected)) {
              expected++;
              if (next.payloadType() == AgentMessage.DATA) {
                output.append(new String(next.payload(), StandardCharsets.UTF_8));
              }
            }
            Thread.startVirtualThread(() -> acknowledge(message.sequence()));
          }
          case AgentMessage.CHANNEL_CLOSED ->
              closedWith = "closed:" + JSON.readTree(message.payload()).path("Output").asText();
          default -> throw new AssertionError(message.type());
        }
      } catch (Exception e) {
        throw new AssertionError(e);
      }
    }

    void acknowledge(long number) {
      say(AgentMessage.ACKNOWLEDGE, 0, 0, "{\"AcknowledgedMessageSequenceNumber\":" + number + "}");
    }

    void say(String type, int payloadType, long number, String payload) {
      channel.binary(
          new AgentMessage(
                  type,
                  1,
                  number,
                  0,
                  UUID.randomUUID(),
                  payloadType,
                  payload.getBytes(StandardCharsets.UTF_8))
              .encode());
    }

    void input(int payloadType, String payload) {
      say(AgentMessage.INPUT, payloadType, sequence++, payload);
    }

    Client open() {
      token("secret");
      await(() -> expected == 1);
      input(
          AgentMessage.HANDSHAKE_RESPONSE,
          "{\"ClientVersion\":\"1.2\",\"ProcessedClientActions\":[{\"ActionType\":\"SessionType\","
              + "\"ActionStatus\":1}]}");
      await(() -> expected == 2);
      return this;
    }

    @Override
    public void close(int code, String reason) {
      closeCode = code;
      channel.closed();
    }
  }

  private static void await(BooleanSupplier condition) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(120);
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new AssertionError("did not come true within 120 s");
      }
      try {
        Thread.sleep(2);
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
  }

  /** A little time passes: not so much that threads which are late have been idle for long. */
  private boolean passing() {
    timers.advance(Duration.ofMillis(100));
    return true;
  }

  @AfterEach
  void close() {
    program.end();
    timers.close();
  }

  @Test
  void fromTheTokenToTheEndOfTheCommand() throws Exception {
    Client client = new Client(() -> program).open();
    AgentMessage first = client.heard.getFirst();
    assertEquals(AgentMessage.HANDSHAKE_REQUEST, first.payloadType());
    assertEquals(1, first.flags(), "it begins the stream");
    assertEquals(
        "InteractiveCommands",
        JSON.readTree(first.payload())
            .at("/RequestedClientActions/0/ActionParameters/SessionType")
            .asText());
    client.input(AgentMessage.SIZE, "{\"cols\":101,\"rows\":37}");
    await(() -> program.sizes.contains("101x37"));
    program.print("hola\r\n");
    await(() -> client.output.toString().equals("hola\r\n"));
    client.input(AgentMessage.DATA, "ls\r");
    await(() -> program.typed().equals("ls\r"));
    await(() -> client.acknowledged.equals(List.of(0L, 1L, 2L)));
    program.print("bye");
    program.end();
    await(() -> client.closedWith.equals("closed:"));
    assertEquals("hola\r\nbye", client.output.toString());
    await(() -> client.closeCode == WebSocket.NORMAL);
    await(() -> program.closed);
  }

  @Test
  void withoutTheTokenThereIsNothing() {
    for (String token : List.of("", "secre", "secret2", "SECRET")) {
      Client client = new Client(() -> program).token(token);
      assertEquals(WebSocket.POLICY_VIOLATION, client.closeCode, token);
      assertTrue(client.heard.isEmpty());
    }
    Client noJson = new Client(() -> program);
    noJson.channel.text("{");
    assertEquals(WebSocket.POLICY_VIOLATION, noJson.closeCode);
    Client typing = new Client(() -> program);
    typing.input(AgentMessage.DATA, "ls\r");
    assertEquals(WebSocket.POLICY_VIOLATION, typing.closeCode);
    assertTrue(program.typed().isEmpty());
  }

  @Test
  void noiseEndsIt() {
    Client client = new Client(() -> program).open();
    client.channel.binary(new byte[] {1, 2, 3});
    assertEquals(WebSocket.POLICY_VIOLATION, client.closeCode);
    await(() -> program.closed);
  }

  @Test
  void inputInAnyOrderAndTwiceIsTypedOnceInOrder() {
    Client client = new Client(() -> program).open();
    long next = client.sequence;
    client.say(AgentMessage.INPUT, AgentMessage.DATA, next + 2, "c");
    client.say(AgentMessage.INPUT, AgentMessage.DATA, next + 1, "b");
    client.say(AgentMessage.INPUT, AgentMessage.DATA, next, "a");
    client.say(AgentMessage.INPUT, AgentMessage.DATA, next, "a");
    client.say(AgentMessage.INPUT, AgentMessage.DATA, next + 1, "b");
    client.say(AgentMessage.INPUT, AgentMessage.DATA, next + 3, "d");
    await(() -> program.typed().equals("abcd"));
  }

  @Test
  void whatNobodyHeardIsSaidAgain() {
    Client client = new Client(() -> program).open();
    client.deaf = true;
    program.print("one ");
    program.print("two");
    await(() -> program.prints.isEmpty());
    client.deaf = false;
    await(() -> passing() && client.output.toString().equals("one two"));
  }

  @Test
  void aClientThatHearsNothingHoldsTheProgramUpAndNotTheMemory() {
    Client client = new Client(() -> program).open();
    client.deaf = true;
    for (int i = 0; i < 5000; i++) {
      program.print("x");
    }
    await(() -> program.prints.size() < 5000);
    timers.advance(Duration.ofMillis(100));
    assertTrue(program.prints.size() > 4900, () -> "left: " + program.prints.size());
    client.deaf = false;
    await(() -> passing() && client.output.length() == 5000);
    assertEquals("x".repeat(5000), client.output.toString());
  }

  @Test
  void aProgramThatDoesNotReadStopsItsTypistAndStillPrints() {
    Client client = new Client(() -> program).open();
    program.reads = false;
    List<Long> sent = new ArrayList<>();
    for (int i = 0; i < 3000; i++) {
      sent.add(client.sequence);
      client.input(AgentMessage.DATA, "y");
    }
    assertTrue(client.acknowledged.size() < 1500, () -> "" + client.acknowledged.size());
    program.print("still here");
    await(() -> client.output.toString().equals("still here"));
    program.reads = true;
    await(() -> {
      for (long number : sent) { // as the plugin: what is not acknowledged is said again
        if (!client.acknowledged.contains(number)) {
          client.say(AgentMessage.INPUT, AgentMessage.DATA, number, "y");
        }
      }
      return client.acknowledged.containsAll(sent);
    });
    await(() -> program.typed().equals("y".repeat(3000)));
  }

  @Test
  void theProgramEndsWithItsClientAndAtHisWord() {
    Client gone = new Client(() -> program).open();
    await(() -> !program.closed);
    gone.channel.closed();
    await(() -> program.closed);
    Program second = new Program();
    Client client = new Client(() -> second).open();
    client.say(
        AgentMessage.INPUT,
        AgentMessage.FLAG,
        client.sequence++,
        new String(ByteBuffer.allocate(4).putInt(2).array(), StandardCharsets.ISO_8859_1));
    await(() -> second.closed);
    await(() -> client.closedWith.equals("closed:"));
  }

  @Test
  void whoSaysNothingIsSentAway() {
    Client silent = new Client(() -> program);
    timers.advance(Duration.ofSeconds(17));
    assertEquals("closed:Handshake timed out.", silent.closedWith);
    Client idle = new Client(() -> program).open();
    timers.advance(Duration.ofMinutes(19));
    idle.input(AgentMessage.DATA, "x");
    timers.advance(Duration.ofMinutes(19));
    assertFalse(program.closed);
    timers.advance(Duration.ofMinutes(2));
    await(() -> program.closed);
    await(() -> idle.closedWith.startsWith("closed:Session terminated"));
  }

  @Test
  void aCommandThatCannotBeStartedSaysWhy() {
    Client client =
        new Client(
                () -> {
                  throw new EngineException("container c is not running");
                })
            .open();
    await(() ->
        client.closedWith.equals("closed:Unable to start command: container c is not running"));
  }
}
