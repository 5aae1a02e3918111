package dev.muelle.balancer.netty;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.Http2Headers;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/** A client of HTTP/2 that says exactly what a test wants, right or wrong. */
final class Http2Wire implements AutoCloseable {

  static final byte[] PREFACE = Rig.bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

  static final int DATA = 0;
  static final int HEADERS = 1;
  static final int PRIORITY = 2;
  static final int RST_STREAM = 3;
  static final int SETTINGS = 4;
  static final int PUSH_PROMISE = 5;
  static final int PING = 6;
  static final int GOAWAY = 7;
  static final int WINDOW_UPDATE = 8;
  static final int CONTINUATION = 9;

  static final int END_STREAM = 1;
  static final int ACK = 1;
  static final int END_HEADERS = 4;
  static final int PADDED = 8;
  static final int PRIORITIZED = 0x20;

  static final int PROTOCOL_ERROR = 1;
  static final int REFUSED_STREAM = 7;
  static final int ENHANCE_YOUR_CALM = 11;

  /** What came on one stream. */
  static final class Got {
    final ByteArrayOutputStream body = new ByteArrayOutputStream();
    @Nullable Http2Headers head;
    @Nullable Http2Headers trailers;
    boolean continues;
    boolean ended;
    long reset = -1;
    int resets;

    /** How long the frames were in which the body came. */
    final List<Integer> parts = new ArrayList<>();

    int status() {
      return head == null ? 0 : Integer.parseInt(head.status().toString());
    }

    String text() {
      return body.toString(StandardCharsets.ISO_8859_1);
    }

    boolean over() {
      return ended || reset >= 0;
    }
  }

  private static final SSLContext TLS = trusting();

  final SSLSocket socket;
  private final DataInputStream in;
  private final OutputStream out;
  private final DefaultHttp2HeadersDecoder hpack = new DefaultHttp2HeadersDecoder(false);
  private final Map<Integer, Got> streams = new HashMap<>();

  /** Whether it lets the other side send on when it has read something. */
  boolean grants = true;

  /** Whether it acknowledges the other side's settings. */
  boolean acknowledges = true;

  /** Why the other side goes away; -1 if it has not said so. */
  long goAway = -1;

  /** The last stream that the other side has looked at, as it says when it goes away. */
  int last = -1;

  int maxStreams = -1;

  /** What came, in order: types of frames, and acknowledgements by a minus. */
  final List<Integer> came = new ArrayList<>();

  /** What came back of our PING. */
  final List<Long> pongs = new ArrayList<>();

  Http2Wire(int port) throws Exception {
    this(port, opening());
  }

  private static SSLContext trusting() {
    try {
      return Certified.trusting();
    } catch (Exception e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** What every client begins with. */
  static byte[] opening() {
    return joined(PREFACE, bytes(SETTINGS, 0, 0));
  }

  /** A client that begins with this. */
  Http2Wire(int port, byte[] opening) throws Exception {
    Socket plain = new Socket("127.0.0.1", port);
    plain.setTcpNoDelay(true);
    socket = (SSLSocket) TLS.getSocketFactory().createSocket(plain, "a.test", port, true);
    socket.setSoTimeout(Rig.PATIENCE_MILLIS);
    SSLParameters parameters = socket.getSSLParameters();
    parameters.setApplicationProtocols(new String[] {"h2"});
    parameters.setServerNames(List.of(new SNIHostName("a.test")));
    socket.setSSLParameters(parameters);
    socket.startHandshake();
    in = new DataInputStream(socket.getInputStream());
    out = socket.getOutputStream();
    out.write(opening);
  }

  void frame(int type, int flags, int stream, byte... payload) throws IOException {
    out.write(bytes(type, flags, stream, payload));
  }

  static byte[] bytes(int type, int flags, int stream, byte... payload) {
    ByteBuffer frame = ByteBuffer.allocate(9 + payload.length);
    frame.put((byte) (payload.length >> 16)).putShort((short) payload.length);
    frame.put((byte) type).put((byte) flags).putInt(stream).put(payload);
    return frame.array();
  }

  static byte[] joined(byte[]... parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  /** Values of SETTINGS: each a number and its value. */
  static byte[] settings(long... pairs) {
    ByteBuffer all = ByteBuffer.allocate(pairs.length * 3);
    for (int i = 0; i < pairs.length; i += 2) {
      all.putShort((short) pairs[i]).putInt((int) pairs[i + 1]);
    }
    return all.array();
  }

  static byte[] number(long value) {
    return ByteBuffer.allocate(4).putInt((int) value).array();
  }

  void raw(byte[] bytes) throws IOException {
    out.write(bytes);
  }

  /** A head of any fields, each written literally. */
  static byte[] block(String... pairs) {
    ByteArrayOutputStream block = new ByteArrayOutputStream();
    for (int i = 0; i < pairs.length; i += 2) {
      block.write(0);
      literal(block, pairs[i]);
      literal(block, pairs[i + 1]);
    }
    return block.toByteArray();
  }

  private static void literal(ByteArrayOutputStream block, String text) {
    byte[] bytes = Rig.bytes(text);
    if (bytes.length < 127) {
      block.write(bytes.length);
    } else {
      block.write(127);
      int rest = bytes.length - 127;
      for (; rest >= 128; rest >>= 7) {
        block.write(rest & 127 | 128);
      }
      block.write(rest);
    }
    block.writeBytes(bytes);
  }

  void headers(int stream, boolean end, String... pairs) throws IOException {
    frame(HEADERS, END_HEADERS | (end ? END_STREAM : 0), stream, block(pairs));
  }

  void get(int stream) throws IOException {
    get(stream, "/");
  }

  void get(int stream, String path) throws IOException {
    headers(stream, true, ask("GET", path));
  }

  static String[] request(String method, String... more) {
    return ask(method, "/", more);
  }

  static String[] ask(String method, String path, String... more) {
    String[] usual = {":method", method, ":scheme", "https", ":path", path, ":authority", "a.test"};
    return Stream.concat(Stream.of(usual), Stream.of(more)).toArray(String[]::new);
  }

  void data(int stream, boolean end, byte... bytes) throws IOException {
    frame(DATA, end ? END_STREAM : 0, stream, bytes);
  }

  Got at(int stream) {
    return streams.computeIfAbsent(stream, s -> new Got());
  }

  /** Reads until this stream is over, or the connection is. */
  Got answer(int stream) throws IOException {
    while (!at(stream).over() && read()) {}
    return at(stream);
  }

  /** Reads until this stream is reset, or the connection left. */
  long reset(int stream) throws IOException {
    while (at(stream).reset < 0 && goAway < 0 && read()) {}
    return at(stream).reset;
  }

  /** Reads until the other side has done all that what was sent before this asks for. */
  void settle() throws IOException {
    for (int i = 0; i < 2; i++) { // an answer may overtake what waits for the end of a pass
      int before = pongs.size();
      frame(PING, 0, 0, new byte[8]);
      while (pongs.size() == before && goAway < 0 && read()) {}
    }
  }

  /** Reads until the other side says that it goes away, or simply goes. */
  long ending() throws IOException {
    while (goAway < 0 && read()) {}
    return goAway;
  }

  /** Reads until the connection ends. */
  void drain() throws IOException {
    while (read()) {}
  }

  /** Reads one frame; false at the end. */
  boolean read() throws IOException {
    int first = in.read();
    if (first < 0) {
      return false;
    }
    int length = first << 16 | in.readUnsignedShort();
    int type = in.readUnsignedByte();
    int flags = in.readUnsignedByte();
    int stream = in.readInt();
    byte[] payload = in.readNBytes(length);
    came.add((type == SETTINGS || type == PING) && (flags & ACK) != 0 ? -type : type);
    ByteBuffer view = ByteBuffer.wrap(payload);
    switch (type) {
      case HEADERS -> head(at(stream), stream, flags, payload);
      case DATA -> {
        at(stream).body.write(payload);
        at(stream).parts.add(length);
        at(stream).ended |= (flags & END_STREAM) != 0;
        if (grants && length > 0) {
          grant(0, length);
          grant(stream, length);
        }
      }
      case RST_STREAM -> {
        at(stream).reset = view.getInt();
        at(stream).resets++;
      }
      case PING -> pongs.add(view.getLong());
      case SETTINGS -> {
        while (view.remaining() >= 6) {
          int id = view.getShort();
          int value = view.getInt();
          maxStreams = id == 3 ? value : maxStreams;
        }
        if ((flags & ACK) == 0 && acknowledges) {
          frame(SETTINGS, ACK, 0);
        }
      }
      case GOAWAY -> {
        last = view.getInt();
        goAway = view.getInt();
      }
      default -> {}
    }
    return true;
  }

  private void head(Got got, int stream, int flags, byte[] payload) throws IOException {
    Http2Headers headers;
    try {
      headers = hpack.decodeHeaders(stream, Unpooled.wrappedBuffer(payload));
    } catch (io.netty.handler.codec.http2.Http2Exception e) {
      throw new IOException(e);
    }
    if (headers.status() != null && headers.status().toString().equals("100")) {
      got.continues = true;
    } else if (got.head == null) {
      got.head = headers;
    } else {
      got.trailers = headers;
    }
    got.ended |= (flags & END_STREAM) != 0;
  }

  void grant(int stream, int bytes) throws IOException {
    frame(WINDOW_UPDATE, 0, stream, number(bytes));
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
