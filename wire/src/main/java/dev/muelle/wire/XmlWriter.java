package dev.muelle.wire;

import dev.muelle.wire.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Base64;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.SdkField;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.core.traits.ListTrait;
import software.amazon.awssdk.core.traits.MapTrait;
import software.amazon.awssdk.core.traits.TimestampFormatTrait.Format;

/** Model objects as the XML of the query protocols. */
final class XmlWriter {
  private final StringBuilder out =
      new StringBuilder(1024).append("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
  private final Deque<String> open = new ArrayDeque<>();

  void open(String name) {
    open(name, "");
  }

  void open(String name, String namespace) {
    out.append('<').append(name);
    if (!namespace.isEmpty()) {
      out.append(" xmlns=\"");
      text(namespace);
      out.append('"');
    }
    out.append('>');
    open.push(name);
  }

  void close() {
    out.append("</").append(open.pop()).append('>');
  }

  void element(String name, String content) {
    open(name);
    text(content);
    close();
  }

  /** What was never set is not written; an empty list that was set is an empty element. */
  void members(SdkPojo pojo) {
    for (SdkField<?> field : pojo.sdkFields()) {
      Object value = field.getValueOrDefault(pojo);
      if (JsonWriter.isSet(value)) {
        member(field.unmarshallLocationName(), value, field);
      }
    }
  }

  private void member(String name, @Nullable Object value, SdkField<?> field) {
    switch (value) {
      case null -> {} // XML lists have no way to say null
      case List<?> list -> list(name, list, field.getRequiredTrait(ListTrait.class));
      case Map<?, ?> map -> map(name, map, field.getRequiredTrait(MapTrait.class));
      case SdkPojo pojo -> {
        open(name);
        members(pojo);
        close();
      }
      case Instant time ->
          element(name, Timestamps.write(time, Timestamps.format(field, Format.ISO_8601)));
      case SdkBytes bytes ->
          element(name, Base64.getEncoder().encodeToString(bytes.asByteArrayUnsafe()));
      case String text -> element(name, text);
      case Number number -> element(name, number.toString());
      case Boolean flag -> element(name, flag.toString());
      default ->
          throw new IllegalArgumentException(
              field.memberName() + " has no XML form: " + value.getClass().getName());
    }
  }

  private void list(String name, List<?> list, ListTrait trait) {
    SdkField<?> item = trait.memberFieldInfo();
    if (trait.isFlattened()) {
      list.forEach(element -> member(name, element, item));
    } else {
      open(name);
      list.forEach(element -> member(item.unmarshallLocationName(), element, item));
      close();
    }
  }

  private void map(String name, Map<?, ?> map, MapTrait trait) {
    SdkField<?> item = trait.valueFieldInfo();
    if (!trait.isFlattened()) {
      open(name);
    }
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      open(trait.isFlattened() ? name : "entry");
      element(trait.keyLocationName(), (String) entry.getKey());
      member(trait.valueLocationName(), entry.getValue(), item);
      close();
    }
    if (!trait.isFlattened()) {
      close();
    }
  }

  HttpResponse answer(int status, String requestId) {
    return HttpResponse.of(status)
        .header("x-amzn-RequestId", requestId)
        .header("Content-Type", "text/xml;charset=UTF-8")
        .body(out.toString().getBytes(StandardCharsets.UTF_8));
  }

  private void text(String text) {
    for (int i = 0; i < text.length(); ) {
      int c = text.codePointAt(i);
      i += Character.charCount(c);
      switch (c) {
        case '&' -> out.append("&amp;");
        case '<' -> out.append("&lt;");
        case '>' -> out.append("&gt;");
        case '"' -> out.append("&quot;");
        case '\r' -> out.append("&#xD;"); // a parser would make a line feed of it
        case '\t', '\n' -> out.append((char) c);
        default -> {
          boolean allowed = c >= 0x20 && (c < 0xD800 || c > 0xDFFF) && c != 0xFFFE && c != 0xFFFF;
          out.appendCodePoint(allowed ? c : 0xFFFD); // XML 1.0 cannot hold the others at all
        }
      }
    }
  }
}
