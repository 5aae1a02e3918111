package dev.muelle.balancer.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.util.AsciiString;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The start line and the header fields of one message, kept as the bytes that came in. Reading is
 * stricter than <a href="https://www.rfc-editor.org/rfc/rfc9112">RFC 9112</a> asks: whatever two
 * parsers could understand differently (bare line ends, folded lines, a space before the colon,
 * control characters) is refused, as ALB's desync mitigation does.
 */
public final class Head {

  private static final int MAX_FIELDS = 200;
  private static final boolean[] TOKEN = new boolean[128];

  static {
    for (char c = '0'; c <= '9'; c++) {
      TOKEN[c] = true;
    }
    for (char c = 'a'; c <= 'z'; c++) {
      TOKEN[c] = true;
      TOKEN[Character.toUpperCase(c)] = true;
    }
    for (char c : "!#$%&'*+-.^_`|~".toCharArray()) {
      TOKEN[c] = true;
    }
  }

  /** Sizes in bytes that a head may have. */
  public record Limits(int line, int field, int total, int lineStatus) {
    /** ALB's quotas for requests: 16 KiB a line, 16 KiB a header, 64 KiB together. */
    public static final Limits REQUEST = new Limits(16 * 1024, 16 * 1024, 64 * 1024, 414);

    /** ALB's quota for responses: 32 KiB together. */
    public static final Limits RESPONSE = new Limits(32 * 1024, 32 * 1024, 32 * 1024, 502);
  }

  private final byte[] bytes;
  private final int lineEnd;
  private final int[] fields; // name start, name end, value start, value end
  private final int count;

  private Head(byte[] bytes, int lineEnd, int[] fields, int count) {
    this.bytes = bytes;
    this.lineEnd = lineEnd;
    this.fields = fields;
    this.count = count;
  }

  /**
   * Takes a whole head from {@code in}, or nothing (null) while it is incomplete.
   *
   * @throws BadMessage if it is not one, or too long
   */
  public static @Nullable Head read(ByteBuf in, Limits limits) {
    int start = in.readerIndex();
    int end = in.writerIndex();
    int lineStart = start;
    boolean first = true;
    while (true) {
      int lf = lineStart == end ? -1 : in.indexOf(lineStart, end, (byte) '\n');
      int limit = first ? limits.line : limits.field;
      if ((lf < 0 ? end : lf) - lineStart > limit) {
        throw new BadMessage(first ? limits.lineStatus : 400, "line longer than " + limit);
      }
      if ((lf < 0 ? end : lf) - start > limits.total) {
        throw new BadMessage(400, "head longer than " + limits.total);
      }
      if (lf < 0) {
        return null;
      }
      if (lf == lineStart || in.getByte(lf - 1) != '\r') {
        throw new BadMessage(400, "bare line feed");
      }
      if (lf - 1 == lineStart) {
        if (first) {
          throw new BadMessage(400, "empty start line");
        }
        byte[] bytes = new byte[lf + 1 - start];
        in.readBytes(bytes);
        return split(bytes);
      }
      first = false;
      lineStart = lf + 1;
    }
  }

  /**
   * A head made of parts that came in another form; they are checked as if they had been read.
   *
   * @throws BadMessage if they are not such as a head can have, or too long
   */
  public static Head of(CharSequence line, Iterable<Map.Entry<CharSequence, CharSequence>> fields) {
    Limits limits = Limits.REQUEST;
    ByteBuf out = Unpooled.buffer(512);
    part(out, line);
    if (out.readableBytes() > limits.line) {
      throw new BadMessage(limits.lineStatus, "line longer than " + limits.line);
    }
    out.writeByte('\r').writeByte('\n');
    for (Map.Entry<CharSequence, CharSequence> field : fields) {
      int start = out.writerIndex();
      part(out, field.getKey());
      out.writeByte(':');
      part(out, field.getValue());
      if (out.writerIndex() - start > limits.field || out.writerIndex() > limits.total) {
        throw new BadMessage(400, "head longer than " + limits.total);
      }
      out.writeByte('\r').writeByte('\n');
    }
    return ended(out);
  }

  /** The fields that follow a body, as they stood on the wire. */
  static Head trailers(byte[] lines) {
    return ended(Unpooled.buffer().writeByte('\r').writeByte('\n').writeBytes(lines));
  }

  private static Head ended(ByteBuf out) {
    out.writeByte('\r').writeByte('\n');
    byte[] bytes = new byte[out.readableBytes()];
    out.readBytes(bytes);
    return split(bytes);
  }

  /** Nothing in a part may end its line. */
  private static void part(ByteBuf out, CharSequence text) {
    AsciiString bytes = text instanceof AsciiString ascii ? ascii : latin(text);
    byte[] array = bytes.array();
    int end = bytes.arrayOffset() + bytes.length();
    for (int i = bytes.arrayOffset(); i < end; i++) {
      if (array[i] == '\r' || array[i] == '\n') {
        throw new BadMessage(400, "line end within a header field");
      }
    }
    out.writeBytes(array, bytes.arrayOffset(), bytes.length());
  }

  private static AsciiString latin(CharSequence text) {
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) > 0xff) {
        throw new BadMessage(400, "a character that is no byte");
      }
    }
    return new AsciiString(text.toString().getBytes(StandardCharsets.ISO_8859_1), false);
  }

  private static Head split(byte[] bytes) {
    int lineEnd = endOfLine(bytes, 0);
    for (int i = 0; i < lineEnd; i++) {
      if (bytes[i] < 0x20 || bytes[i] == 0x7f) { // also what is not ASCII
        throw new BadMessage(400, "control character in the start line", "BadUri");
      }
    }
    int[] fields = new int[64];
    int count = 0;
    int at = lineEnd + 2;
    while (bytes[at] != '\r') {
      if (count == MAX_FIELDS) {
        throw new BadMessage(400, "more than " + MAX_FIELDS + " header fields");
      }
      if (fields.length == count * 4) {
        fields = Arrays.copyOf(fields, fields.length * 2);
      }
      at = field(bytes, at, fields, count * 4) + 2;
      count++;
    }
    if (at + 2 != bytes.length) {
      throw new BadMessage(400, "bare carriage return");
    }
    return new Head(bytes, lineEnd, fields, count);
  }

  private static int field(byte[] bytes, int start, int[] fields, int slot) {
    int end = endOfLine(bytes, start);
    int colon = start;
    while (colon < end && bytes[colon] >= 0 && TOKEN[bytes[colon]]) {
      colon++;
    }
    if (colon == start || colon == end || bytes[colon] != ':') {
      throw new BadMessage(400, "header field name");
    }
    int from = colon + 1;
    int to = end;
    while (from < to && blank(bytes[from])) {
      from++;
    }
    while (to > from && blank(bytes[to - 1])) {
      to--;
    }
    for (int i = from; i < to; i++) {
      byte b = bytes[i];
      if (b >= 0 && b < 0x20 && b != '\t' || b == 0x7f) {
        throw new BadMessage(400, "control character in a header field", "NonCompliantHeader");
      }
    }
    fields[slot] = start;
    fields[slot + 1] = colon;
    fields[slot + 2] = from;
    fields[slot + 3] = to;
    return end;
  }

  /** The index of the next CR, which must be followed by LF. */
  private static int endOfLine(byte[] bytes, int from) {
    int at = from;
    while (bytes[at] != '\r') {
      at++;
    }
    if (bytes[at + 1] != '\n') {
      throw new BadMessage(400, "bare carriage return");
    }
    return at;
  }

  private static boolean blank(byte b) {
    return b == ' ' || b == '\t';
  }

  public static boolean isToken(String text) {
    return !text.isEmpty() && Chars.all(text, c -> c < 128 && TOKEN[c]);
  }

  /** Whether every byte is ASCII. */
  public boolean ascii() {
    for (byte b : bytes) {
      if (b < 0) {
        return false;
      }
    }
    return true;
  }

  /** The start line, without its end. */
  public String line() {
    return new String(bytes, 0, lineEnd, StandardCharsets.ISO_8859_1);
  }

  /** In bytes, with the empty line at its end. */
  public int length() {
    return bytes.length;
  }

  public int count() {
    return count;
  }

  public String name(int field) {
    return text(fields[field * 4], fields[field * 4 + 1]).toLowerCase(Locale.ROOT);
  }

  String value(int field) {
    return text(fields[field * 4 + 2], fields[field * 4 + 3]);
  }

  int nameLength(int field) {
    return fields[field * 4 + 1] - fields[field * 4];
  }

  /** Whether this field's name is of letters, digits and hyphens. */
  public boolean isPlain(int field) {
    for (int i = fields[field * 4]; i < fields[field * 4 + 1]; i++) {
      byte b = bytes[i];
      if (b != '-' && !(b >= '0' && b <= '9') && !(b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z')) {
        return false;
      }
    }
    return true;
  }

  /** Whether this field's name is one of {@code names}, which are lower case. */
  public boolean isOneOf(int field, List<String> names) {
    for (int i = 0; i < names.size(); i++) {
      if (is(field, names.get(i))) {
        return true;
      }
    }
    return false;
  }

  /** Whether this field's name is {@code name}, which is lower case. */
  public boolean is(int field, String name) {
    return nameLength(field) == name.length() && begins(field, name);
  }

  /**
   * Whether this field's name begins so, in lower case, for a server that takes underscores for
   * hyphens.
   */
  public boolean startsWith(int field, String prefix) {
    return nameLength(field) >= prefix.length()
        && (begins(field, prefix)
            || name(field).replace('_', '-').toLowerCase(Locale.ROOT).startsWith(prefix));
  }

  private boolean begins(int field, String name) {
    int from = fields[field * 4];
    for (int i = 0; i < name.length(); i++) {
      int b = bytes[from + i];
      if (b != name.charAt(i) && (b < 'A' || b > 'Z' || b + 32 != name.charAt(i))) {
        return false;
      }
    }
    return true;
  }

  /** The first value of a field, or null. */
  public @Nullable String first(String name) {
    for (int i = 0; i < count; i++) {
      if (is(i, name)) {
        return value(i);
      }
    }
    return null;
  }

  public List<String> all(String name) {
    List<String> values = List.of(); // what most heads have of most names
    for (int i = 0; i < count; i++) {
      if (is(i, name)) {
        if (values.isEmpty()) {
          values = new ArrayList<>(1);
        }
        values.add(value(i));
      }
    }
    return values;
  }

  /** The members of a comma-separated field, lower case, over all its lines. */
  public List<String> tokens(String name) {
    List<String> values = all(name);
    if (values.isEmpty()) {
      return values;
    }
    if (values.size() == 1 && values.getFirst().indexOf(',') < 0) { // as a rule
      String token = values.getFirst().strip().toLowerCase(Locale.ROOT);
      return token.isEmpty() ? List.of() : List.of(token);
    }
    List<String> tokens = new ArrayList<>(2);
    for (String value : values) {
      for (String token : value.split(",", -1)) {
        if (!token.isBlank()) {
          tokens.add(token.strip().toLowerCase(Locale.ROOT));
        }
      }
    }
    return tokens;
  }

  /** Is shown fields. */
  public interface Visit {
    void field(AsciiString lowerCaseName, AsciiString value);
  }

  /** Shows one field. */
  public void show(int field, Visit visit) {
    int name = fields[field * 4];
    int value = fields[field * 4 + 2];
    visit.field(
        new AsciiString(bytes, name, fields[field * 4 + 1] - name, false).toLowerCase(),
        new AsciiString(bytes, value, fields[field * 4 + 3] - value, false));
  }

  /** Appends a field as it came, with its line end. */
  public void copy(int field, ByteBuf out) {
    int from = fields[field * 4];
    int colon = fields[field * 4 + 1] + 1;
    out.writeBytes(bytes, from, colon - from);
    out.writeByte(' ');
    int value = fields[field * 4 + 2];
    out.writeBytes(bytes, value, fields[field * 4 + 3] - value);
    out.writeByte('\r').writeByte('\n');
  }

  /**
   * The length that Content-Length tells; -1 if there is none.
   *
   * @throws BadMessage if there are several, or it is not a plain decimal number
   */
  public long contentLength() {
    return length(all("content-length"));
  }

  /** As {@link #contentLength}, of these values of the field. */
  public static long length(List<String> values) {
    if (values.isEmpty()) {
      return -1;
    }
    if (values.size() > 1) {
      throw new BadMessage(400, "several Content-Length fields", "MultipleContentLength");
    }
    String value = values.getFirst();
    if (value.isEmpty() || value.length() > 18 || !Chars.all(value, c -> c >= '0' && c <= '9')) {
      throw new BadMessage(400, "Content-Length is not a number", "BadContentLength");
    }
    return Long.parseLong(value);
  }

  private String text(int from, int to) {
    return new String(bytes, from, to - from, StandardCharsets.ISO_8859_1);
  }
}
