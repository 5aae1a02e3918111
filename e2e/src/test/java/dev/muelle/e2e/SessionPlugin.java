package dev.muelle.e2e;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A program in the place of AWS's session-manager-plugin, which {@code aws ecs execute-command}
 * starts: the same arguments, the same conversation, written after the plugin's sources and not
 * after ours. What it reads it types, what it hears it prints.
 */
final class SessionPlugin implements WebSocket.Listener {

  private static final Pattern URL = Pattern.compile("\"[sS]treamUrl\":\\s*\"([^\"]+)\"");
  private static final Pattern TOKEN = Pattern.compile("\"[tT]okenValue\":\\s*\"([^\"]+)\"");
  private static final int HEADER = 116;

  private final CountDownLatch handshake = new CountDownLatch(1);
  private final CountDownLatch closed = new CountDownLatch(1);
  private byte[] partial = new byte[0];
  private WebSocket socket;
  private long expected;
  private long sequence;

  private SessionPlugin() {}

  public static void main(String[] args) throws Exception {
    if (args.length == 0) {
      System.out.println("\nThe Session Manager plugin was installed successfully.");
      return;
    }
    new SessionPlugin().run(find(URL, args[0]), find(TOKEN, args[0]));
  }

  private static String find(Pattern pattern, String text) {
    Matcher matcher = pattern.matcher(text);
    if (!matcher.find()) {
      throw new IllegalArgumentException(text);
    }
    return matcher.group(1);
  }

  private void run(String url, String token) throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      socket = client.newWebSocketBuilder().buildAsync(URI.create(url), this).join();
      introduce(token);
      handshake.await();
      if (closed.getCount() == 0) {
        System.exit(1);
      }
      input(3, "{\"cols\":91,\"rows\":33}".getBytes(StandardCharsets.UTF_8));
      Thread.ofPlatform().daemon().start(this::type);
      closed.await();
      client.shutdownNow();
    }
    System.out.flush();
    System.exit(0);
  }

  /** The answer may be here before this was told to be sent: what it makes us send waits. */
  private synchronized void introduce(String token) {
    socket
        .sendText(
            "{\"MessageSchemaVersion\":\"1.0\",\"RequestId\":\""
                + UUID.randomUUID()
                + "\",\"TokenValue\":\""
                + token
                + "\",\"ClientId\":\""
                + UUID.randomUUID()
                + "\",\"ClientVersion\":\"1.2.707.0\"}",
            true)
        .join();
  }

  private void type() {
    byte[] buffer = new byte[1024];
    try (InputStream in = System.in) {
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        input(1, Arrays.copyOf(buffer, read));
      }
    } catch (IOException e) {
      System.err.println(e);
    }
  }

  private synchronized void input(int payloadType, byte[] payload) {
    send("input_stream_data", sequence++, 0, payloadType, payload);
  }

  private synchronized void send(
      String type, long number, long flags, int payloadType, byte[] payload) {
    UUID id = UUID.randomUUID();
    ByteBuffer message = ByteBuffer.allocate(HEADER + 4 + payload.length);
    message.putInt(HEADER);
    message.put("%-32s".formatted(type).getBytes(StandardCharsets.US_ASCII));
    message.putInt(1).putLong(System.currentTimeMillis()).putLong(number).putLong(flags);
    message.putLong(id.getLeastSignificantBits()).putLong(id.getMostSignificantBits());
    try {
      message.put(MessageDigest.getInstance("SHA-256").digest(payload));
    } catch (java.security.NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
    message.putInt(payloadType).putInt(payload.length).put(payload).flip();
    socket.sendBinary(message, true).join();
  }

  @Override
  public CompletionStage<?> onBinary(WebSocket from, ByteBuffer data, boolean last) {
    int before = partial.length;
    partial = Arrays.copyOf(partial, before + data.remaining());
    data.get(partial, before, data.remaining());
    if (last) {
      byte[] whole = partial;
      partial = new byte[0];
      socket = from;
      hear(ByteBuffer.wrap(whole));
    }
    from.request(1);
    return null;
  }

  private void hear(ByteBuffer message) {
    byte[] name = new byte[32];
    int header = message.getInt();
    message.get(name);
    message.getInt();
    message.getLong();
    long number = message.getLong();
    message.getLong();
    long low = message.getLong();
    UUID id = new UUID(message.getLong(), low);
    int payloadType = message.position(header - 4).getInt();
    byte[] payload = new byte[message.getInt()];
    message.get(payload);
    switch (new String(name, StandardCharsets.US_ASCII).trim()) {
      case "output_stream_data" -> {
        String content =
            "{\"AcknowledgedMessageType\":\"output_stream_data\",\"AcknowledgedMessageId\":\""
                + id
                + "\",\"AcknowledgedMessageSequenceNumber\":"
                + number
                + ",\"IsSequentialMessage\":true}";
        send("acknowledge", 0, 3, 0, content.getBytes(StandardCharsets.UTF_8));
        if (number == expected) {
          expected++;
          output(payloadType, payload);
        }
      }
      case "channel_closed" -> {
        System.out.println(
            "\n\nExiting session: "
                + find(Pattern.compile("\"Output\":\"([^\"]*)"), text(payload)));
        closed.countDown();
        handshake.countDown();
      }
      default -> {}
    }
  }

  private void output(int payloadType, byte[] payload) {
    switch (payloadType) {
      case 1 -> System.out.writeBytes(payload);
      case 5 ->
          input(
              6,
              ("{\"ClientVersion\":\"1.2.707.0\",\"ProcessedClientActions\":[{\"ActionType\":"
                      + "\"SessionType\",\"ActionStatus\":1,\"ActionResult\":null,\"Error\":\"\"}],"
                      + "\"Errors\":null}")
                  .getBytes(StandardCharsets.UTF_8));
      case 7 -> handshake.countDown();
      default -> throw new IllegalStateException("a payload of type " + payloadType);
    }
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  @Override
  public CompletionStage<?> onClose(WebSocket from, int code, String reason) {
    if (code != WebSocket.NORMAL_CLOSURE) {
      System.out.println("closed: " + code + " " + reason);
    }
    closed.countDown();
    handshake.countDown();
    return null;
  }

  @Override
  public void onError(WebSocket from, Throwable error) {
    if (closed.getCount() > 0) {
      error.printStackTrace();
    }
    closed.countDown();
    handshake.countDown();
  }
}
