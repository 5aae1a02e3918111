package dev.muelle.balancer.messages;

import dev.muelle.balancer.http.BadMessage;
import dev.muelle.balancer.http.Edits;
import dev.muelle.balancer.http.Framing;
import dev.muelle.balancer.http.Head;
import dev.muelle.balancer.http.Names;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.util.AsciiString;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A target's response, checked, and how it is told to the client. */
public final class Response {

  private static final Names NEVER_COPIED =
      Names.of("connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade");

  private static final AsciiString SET_COOKIE = AsciiString.cached("set-cookie");

  /** What is done to the body on its way. */
  public enum Recode {
    AS_IS,
    /** It ends with the connection; the client shall see where it ends. */
    TO_CHUNKS,
    /** It comes in chunks; the client speaks HTTP/1.0. */
    FROM_CHUNKS
  }

  public final int status;
  public final Framing body;
  public final Recode recode;
  public final boolean reusable;
  public final boolean mustClose;
  public final Head head;
  private final String reason;
  private final boolean chunked;
  private final boolean tellLength;
  private final List<String> connection;
  private @Nullable Head last;

  /** What its listener changes in it. */
  public Edits edits = Edits.NONE;

  /** Values of Set-Cookie that the load balancer adds. */
  public List<String> cookies = List.of();

  /**
   * Checks a head.
   *
   * @throws BadMessage (502) if it must not be passed on
   */
  public Response(Head head, Request request) {
    this(head, request, null);
  }

  /**
   * An answer that came by HTTP/2, of which {@link #ends} says where it ends.
   *
   * @param whole whether it has no body
   * @throws BadMessage (502) if it must not be passed on
   */
  public static Response http2(Head head, Request request, boolean whole) {
    return new Response(head, request, whole);
  }

  private Response(Head head, Request request, @Nullable Boolean http2Whole) {
    this.head = head;
    String line = head.line();
    boolean http10 = line.startsWith("HTTP/1.0 ");
    this.status = http10 || line.startsWith("HTTP/1.1 ") ? status(line) : 0;
    if (status < 100 || status > 599) {
      throw new BadMessage(502, "status line");
    }
    this.reason = line.substring(12);
    this.connection = head.tokens("connection");
    long length = head.contentLength();
    List<String> codings = head.all("transfer-encoding");
    if (!codings.isEmpty()
        && (codings.size() > 1
            || length >= 0
            || !codings.getFirst().toLowerCase(Locale.ROOT).equals("chunked"))) {
      throw new BadMessage(502, "framing");
    }
    this.chunked = !codings.isEmpty();
    boolean bodiless = request.isHead() || status < 200 || status == 204 || status == 304;
    this.tellLength = length >= 0 && status >= 200 && status != 204;
    if (http2Whole != null) {
      this.body = http2Whole ? Framing.none() : Framing.untilSaid();
    } else if (bodiless) {
      this.body = Framing.none();
    } else if (chunked) {
      this.body = Framing.chunked();
    } else {
      this.body = length >= 0 ? Framing.length(length) : Framing.untilClose();
    }
    boolean untilClose = body.endsWithConnection();
    this.recode =
        untilClose && !request.http10
            ? Recode.TO_CHUNKS
            : chunked && !bodiless && request.http10 ? Recode.FROM_CHUNKS : Recode.AS_IS;
    this.mustClose = request.http10 && (untilClose || recode == Recode.FROM_CHUNKS);
    this.reusable =
        !untilClose && (http10 ? connection.contains("keep-alive") : !connection.contains("close"));
  }

  /** The three digits in their place; 0 if they are not there alone. */
  private static int status(String line) {
    if (line.length() < 12 || line.length() > 12 && line.charAt(12) != ' ') {
      return 0;
    }
    int status = 0;
    for (int i = 9; i < 12; i++) {
      int digit = line.charAt(i) - '0';
      if (digit < 0 || digit > 9) {
        return 0;
      }
      status = status * 10 + digit;
    }
    return status;
  }

  /** Whether a field is passed on to the client. */
  private boolean passes(int field) {
    boolean length = head.is(field, "content-length");
    return !NEVER_COPIED.has(head, field)
        && (!head.isOneOf(field, connection) || length)
        && (tellLength || !length)
        && !(edits.changesAnswers() && edits.drops(head.name(field)));
  }

  /** Each field that is passed on. */
  public void eachField(Head.Visit visit) {
    for (int i = 0; i < head.count(); i++) {
      if (passes(i)) {
        head.show(i, visit);
      }
    }
    for (String cookie : cookies) {
      visit.field(SET_COOKIE, new AsciiString(cookie));
    }
    edits
        .response()
        .forEach((name, value) -> visit.field(new AsciiString(name), new AsciiString(value)));
  }

  public void write(ByteBuf out, boolean keepAlive) {
    Request.ascii(out, "HTTP/1.1 " + status + (reason.isEmpty() ? " " : reason) + "\r\n");
    for (int i = 0; i < head.count(); i++) {
      if (passes(i)) {
        head.copy(i, out);
      }
    }
    for (String cookie : cookies) {
      Request.ascii(out, "Set-Cookie: " + cookie + "\r\n");
    }
    edits.response().forEach((name, value) -> Request.ascii(out, name + ": " + value + "\r\n"));
    if (switchesProtocol()) {
      String upgrade = head.first("upgrade");
      Request.ascii(
          out, "Connection: Upgrade\r\nUpgrade: " + (upgrade == null ? "" : upgrade) + "\r\n\r\n");
      return;
    }
    boolean chunks =
        recode == Recode.TO_CHUNKS || chunked && recode == Recode.AS_IS && status != 204;
    if (chunks) {
      Request.ascii(out, "Transfer-Encoding: chunked\r\n");
    }
    Request.ascii(out, keepAlive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n");
  }

  /** The bytes of the body at {@code in} that belong to it, without their framing. */
  public ByteBuf payload(ByteBuf in, ByteBufAllocator alloc) {
    if (!chunked) {
      return in.readRetainedSlice(body.take(in));
    }
    ByteBuf payload = alloc.buffer();
    in.skipBytes(body.take(in, payload));
    return payload;
  }

  /** Its body is whole, and these fields follow it. */
  public void ends(@Nullable Head trailers) {
    body.finish();
    last = trailers;
  }

  /** The fields after the body; null if there are none (yet). */
  public @Nullable Head trailers() {
    return last != null ? last : body.trailers();
  }

  public boolean switchesProtocol() {
    return status == 101;
  }
}
