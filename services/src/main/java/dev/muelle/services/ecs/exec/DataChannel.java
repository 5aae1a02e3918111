package dev.muelle.services.ecs.exec;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.engine.EngineException;
import dev.muelle.engine.Terminal;
import dev.muelle.loop.Timers;
import dev.muelle.services.ecs.exec.AgentMessage.MalformedException;
import dev.muelle.wire.http.WebSocket;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One session, from the token to the end of its command. Each side numbers what it says in its
 * stream, acknowledges what it heard, and says again what is not acknowledged: the plugin drops
 * what comes before it is ready. At most {@link #WINDOW} messages of ours wait for that.
 */
public final class DataChannel implements WebSocket {

  private static final Logger LOG = LoggerFactory.getLogger(DataChannel.class);
  private static final ObjectMapper JSON = new ObjectMapper();

  private static final String AGENT_VERSION = "3.3.0.0";
  private static final Duration PATIENCE =
      Duration.ofSeconds(15); // as the agent's, for a handshake
  private static final Duration IDLE = Duration.ofMinutes(20);
  private static final Duration LOOK = Duration.ofSeconds(1);
  private static final Duration AGAIN = Duration.ofSeconds(1);
  private static final Duration LAST_WORDS = Duration.ofSeconds(5);
  private static final int PIECE = 1024; // bytes of output in a message, as the agent's
  private static final int WINDOW = 64; // messages
  private static final int MAX_TYPED = 256; // messages that the program has not read yet
  private static final int MAX_EARLY = 1024; // messages that wait for their turn, or for room
  private static final int SUCCESS = 1;
  private static final int TERMINATE = 2;
  private static final int MAX_SIDE = 10_000; // of a screen, in characters

  private final String id;
  private final String token;
  private final Timers timers;
  private final Supplier<String> uuids;
  private final Supplier<Terminal> program;

  private enum State {
    NEW,
    HANDSHAKE,
    OPEN,
    ENDED
  }

  /** A message of ours that is not acknowledged yet. */
  private static final class Sent {
    final byte[] message;
    Instant at;

    Sent(byte[] message, Instant at) {
      this.message = message;
      this.at = at;
    }
  }

  // Guarded by this:
  private State state = State.NEW;
  private @Nullable Peer peer;
  private @Nullable Terminal terminal;
  private long sent;
  private long expected;
  private final TreeMap<Long, Sent> outgoing = new TreeMap<>();
  private final Map<Long, AgentMessage> early = new HashMap<>();
  private final Deque<byte[]> typed = new ArrayDeque<>();
  private int columns;
  private int rows;
  private Instant active;
  private Instant began;
  private String lastWords = "";

  /**
   * A session that waits for its client.
   *
   * @param token that the client has to name first
   * @param program starts the command; asked once, after the handshake
   */
  public DataChannel(
      String id, String token, Timers timers, Supplier<String> uuids, Supplier<Terminal> program) {
    this.id = id;
    this.token = token;
    this.timers = timers;
    this.uuids = uuids;
    this.program = program;
    this.active = timers.instant();
    this.began = active;
  }

  @Override
  public void opened(Peer other) {
    synchronized (this) {
      peer = other;
      began = timers.instant();
      active = began;
    }
    timers.after(LOOK, this::look);
  }

  /** The only text is the first message, with the token. */
  @Override
  public void text(String message) {
    String named = "";
    try {
      named = JSON.readTree(message).path("TokenValue").asText();
    } catch (IOException e) {
      LOG.debug("session {}: no JSON", id);
    }
    synchronized (this) {
      if (state != State.NEW) {
        return; // the client says it again when it believes to have been disconnected
      }
      if (!MessageDigest.isEqual(bytes(named), bytes(token))) {
        refuse("Invalid token");
        return;
      }
      state = State.HANDSHAKE;
      ObjectNode request = JsonNodeFactory.instance.objectNode();
      request.put("AgentVersion", AGENT_VERSION);
      ObjectNode action = request.putArray("RequestedClientActions").addObject();
      action.put("ActionType", "SessionType");
      action
          .putObject("ActionParameters")
          .put("SessionType", "InteractiveCommands")
          .putNull("Properties");
      say(AgentMessage.HANDSHAKE_REQUEST, bytes(request.toString()));
    }
  }

  @Override
  public void binary(byte[] message) {
    AgentMessage heard;
    try {
      heard = AgentMessage.decode(message);
    } catch (MalformedException e) {
      LOG.debug("session {}: {}", id, e.getMessage());
      synchronized (this) {
        refuse("Malformed message");
      }
      return;
    }
    synchronized (this) {
      switch (state) {
        case NEW -> refuse("Invalid token");
        case ENDED -> acknowledged(heard);
        case HANDSHAKE, OPEN -> {
          acknowledged(heard);
          if (heard.type().equals(AgentMessage.INPUT)) {
            hear(heard);
          }
        }
      }
    }
  }

  private void acknowledged(AgentMessage message) {
    if (message.type().equals(AgentMessage.ACKNOWLEDGE)) {
      try {
        JsonNode content = JSON.readTree(message.payload());
        outgoing.remove(content.path("AcknowledgedMessageSequenceNumber").asLong(-1));
        notifyAll(); // there may be room for more
        if (state == State.ENDED && outgoing.isEmpty()) {
          hangUp();
        }
      } catch (IOException e) {
        LOG.debug("session {}: an acknowledgement that is no JSON", id);
      }
    }
  }

  private void hear(AgentMessage message) {
    if (message.sequence() >= expected) {
      if (early.size() >= MAX_EARLY && message.sequence() != expected) {
        return; // there is no room: it will be said again
      }
      early.put(message.sequence(), message);
    }
    acknowledge(message);
    takeInTurn();
  }

  private void takeInTurn() {
    for (AgentMessage next = early.get(expected);
        next != null && take(next);
        next = early.get(expected)) {
      early.remove(expected++);
    }
  }

  /** Does what a message says; false if there is no room for it. */
  private boolean take(AgentMessage message) {
    switch (message.payloadType()) {
      case AgentMessage.HANDSHAKE_RESPONSE -> shake(message.payload());
      case AgentMessage.SIZE -> resize(message.payload());
      case AgentMessage.DATA -> {
        if (typed.size() >= MAX_TYPED) {
          return false;
        }
        active = timers.instant();
        typed.add(message.payload());
        notifyAll();
      }
      case AgentMessage.FLAG -> {
        if (message.payload().length == Integer.BYTES
            && ByteBuffer.wrap(message.payload()).getInt() == TERMINATE) {
          end("");
        }
      }
      default -> LOG.debug("session {}: a payload of type {}", id, message.payloadType());
    }
    return true;
  }

  private void shake(byte[] payload) {
    if (state != State.HANDSHAKE) {
      return;
    }
    try {
      for (JsonNode action : JSON.readTree(payload).path("ProcessedClientActions")) {
        if (action.path("ActionStatus").asInt() != SUCCESS) {
          end("Handshake failed: " + action.path("Error").asText());
          return;
        }
      }
    } catch (IOException e) {
      end("Handshake failed.");
      return;
    }
    ObjectNode complete = JsonNodeFactory.instance.objectNode();
    complete.put("HandshakeTimeToComplete", Duration.between(began, timers.instant()).toNanos());
    complete.put("CustomerMessage", "");
    say(AgentMessage.HANDSHAKE_COMPLETE, bytes(complete.toString()));
    state = State.OPEN;
    // A terminal's calls wait in the kernel: threads that nobody else needs.
    Thread.ofPlatform().daemon().name("exec-out-" + id).start(this::run);
    Thread.ofPlatform().daemon().name("exec-in-" + id).start(this::type);
  }

  private void resize(byte[] payload) {
    try {
      JsonNode size = JSON.readTree(payload);
      columns = Math.clamp(size.path("cols").asInt(), 1, MAX_SIDE);
      rows = Math.clamp(size.path("rows").asInt(), 1, MAX_SIDE);
      if (terminal != null) {
        terminal.resize(columns, rows);
      }
    } catch (IOException e) {
      LOG.debug("session {}: a size that is no JSON", id);
    }
  }

  /** The program's whole life. */
  private void run() {
    String why = "";
    try (Terminal opened = program.get()) {
      synchronized (this) {
        terminal = opened;
        if (columns > 0) {
          opened.resize(columns, rows);
        }
        notifyAll();
        if (state == State.ENDED) {
          return;
        }
      }
      byte[] buffer = new byte[PIECE];
      for (int read = opened.read(buffer); read >= 0; read = opened.read(buffer)) {
        byte[] piece = new byte[read];
        System.arraycopy(buffer, 0, piece, 0, read);
        if (!sayWhenThereIsRoom(piece)) {
          break;
        }
      }
    } catch (EngineException e) {
      why = "Unable to start command: " + e.getMessage();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      synchronized (this) {
        terminal = null;
        end(why);
      }
    }
  }

  private synchronized boolean sayWhenThereIsRoom(byte[] piece) throws InterruptedException {
    while (state == State.OPEN && outgoing.size() >= WINDOW) {
      wait();
    }
    if (state == State.OPEN) {
      active = timers.instant();
      say(AgentMessage.DATA, piece);
    }
    return state == State.OPEN;
  }

  /** Hands on what was typed; waits while the program does not read. */
  private void type() {
    try {
      while (true) {
        byte[] next;
        Terminal to;
        synchronized (this) {
          while (state == State.OPEN && (terminal == null || typed.isEmpty())) {
            wait();
          }
          to = terminal;
          if (state != State.OPEN || to == null) {
            return;
          }
          next = typed.remove();
          takeInTurn(); // there is room again
        }
        to.write(next);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Sends a message of our stream, now and until it is acknowledged. */
  private void say(int payloadType, byte[] payload) {
    AgentMessage message =
        new AgentMessage(
            AgentMessage.OUTPUT,
            timers.millis(),
            sent,
            sent == 0 ? 1 : 0,
            UUID.fromString(uuids.get()),
            payloadType,
            payload);
    byte[] encoded = message.encode();
    outgoing.put(sent++, new Sent(encoded, timers.instant()));
    send(encoded);
  }

  private void acknowledge(AgentMessage message) {
    ObjectNode content = JsonNodeFactory.instance.objectNode();
    content.put("AcknowledgedMessageType", message.type());
    content.put("AcknowledgedMessageId", message.id().toString());
    content.put("AcknowledgedMessageSequenceNumber", message.sequence());
    content.put("IsSequentialMessage", true);
    send(single(AgentMessage.ACKNOWLEDGE, content));
  }

  private byte[] single(String type, ObjectNode content) {
    return new AgentMessage(
            type,
            timers.millis(),
            0,
            3, // the first and the last
            UUID.fromString(uuids.get()),
            0,
            bytes(content.toString()))
        .encode();
  }

  private void send(byte[] message) {
    Peer other = peer;
    if (other == null) {
      return;
    }
    try {
      other.send(message);
    } catch (IOException e) {
      LOG.debug("session {}: the client is gone", id, e);
    }
  }

  /** Every second: says again what nobody heard, and ends what has lasted too long. */
  private void look() {
    synchronized (this) {
      if (peer == null) {
        return;
      }
      Instant now = timers.instant();
      if ((state == State.NEW || state == State.HANDSHAKE) && now.isAfter(began.plus(PATIENCE))) {
        end("Handshake timed out.");
      }
      if (state == State.OPEN && now.isAfter(active.plus(IDLE))) {
        end("Session terminated: it was idle for 20 minutes.");
      }
      Map.Entry<Long, Sent> first = outgoing.firstEntry();
      if (first != null && now.isAfter(first.getValue().at.plus(AGAIN))) {
        first.getValue().at = now;
        send(first.getValue().message);
      }
    }
    timers.after(LOOK, this::look);
  }

  /** Nothing more is said but why; that as soon as all before it was heard. */
  private void end(String why) {
    if (state == State.ENDED) {
      return;
    }
    state = State.ENDED;
    lastWords = why;
    notifyAll();
    Terminal running = terminal;
    if (running != null) {
      running.end();
    }
    if (outgoing.isEmpty()) {
      hangUp();
    } else {
      timers.after(LAST_WORDS, this::giveUp);
    }
  }

  private synchronized void giveUp() {
    hangUp();
  }

  private void hangUp() {
    Peer other = peer;
    if (other == null) {
      return;
    }
    ObjectNode closed = JsonNodeFactory.instance.objectNode();
    closed.put("MessageId", uuids.get());
    closed.put("CreatedDate", timers.instant().toString());
    closed.put("DestinationId", id);
    closed.put("SessionId", id);
    closed.put("MessageType", AgentMessage.CHANNEL_CLOSED);
    closed.put("SchemaVersion", 1);
    closed.put("Output", lastWords);
    send(single(AgentMessage.CHANNEL_CLOSED, closed));
    peer = null;
    other.close(NORMAL, "");
  }

  private void refuse(String why) {
    Peer other = peer;
    peer = null;
    end(why);
    if (other != null) {
      other.close(POLICY_VIOLATION, why);
    }
  }

  /** The client is gone, and with it the program. */
  @Override
  public synchronized void closed() {
    peer = null;
    outgoing.clear();
    end("");
    notifyAll();
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
