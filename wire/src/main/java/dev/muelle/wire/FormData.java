package dev.muelle.wire;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Names and values of a query string or an {@code application/x-www-form-urlencoded} body, in order
 * of arrival.
 */
record FormData(List<Map.Entry<String, String>> pairs) {

  /**
   * Decodes percent signs and pluses as UTF-8.
   *
   * @throws WireException (malformed) if an escape is broken
   */
  static FormData parse(String text) {
    List<Map.Entry<String, String>> pairs = new ArrayList<>();
    int start = 0;
    while (start < text.length()) {
      int end = text.indexOf('&', start);
      if (end < 0) {
        end = text.length();
      }
      if (end > start) {
        int equals = text.indexOf('=', start);
        boolean named = equals >= 0 && equals < end;
        String name = decode(text.substring(start, named ? equals : end));
        pairs.add(Map.entry(name, named ? decode(text.substring(equals + 1, end)) : ""));
      }
      start = end + 1;
    }
    return new FormData(List.copyOf(pairs));
  }

  Optional<String> get(String name) {
    return pairs.stream()
        .filter(pair -> pair.getKey().equals(name))
        .map(Map.Entry::getValue)
        .findFirst();
  }

  /** As a map; where a name comes twice, the last one counts. */
  Map<String, String> asMap() {
    Map<String, String> map = LinkedHashMap.newLinkedHashMap(pairs.size());
    pairs.forEach(pair -> map.put(pair.getKey(), pair.getValue()));
    return map;
  }

  /**
   * Decodes a part of a path, where a plus is a plus.
   *
   * @throws WireException (malformed) if an escape is broken
   */
  static String segment(String text) {
    return decode(text.replace("+", "%2B"));
  }

  private static String decode(String text) {
    if (text.indexOf('%') < 0 && text.indexOf('+') < 0) {
      return text;
    }
    byte[] in = text.getBytes(StandardCharsets.UTF_8);
    byte[] out = new byte[in.length];
    int length = 0;
    for (int i = 0; i < in.length; i++) {
      if (in[i] == '+') {
        out[length++] = ' ';
      } else if (in[i] == '%') {
        int high = i + 2 < in.length ? Character.digit(in[i + 1], 16) : -1;
        int low = i + 2 < in.length ? Character.digit(in[i + 2], 16) : -1;
        if (high < 0 || low < 0) {
          throw new WireException(Fault.MALFORMED, "The query string contains a broken escape.");
        }
        out[length++] = (byte) ((high << 4) | low);
        i += 2;
      } else {
        out[length++] = in[i];
      }
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(out, 0, length)).toString();
    } catch (CharacterCodingException e) {
      throw new WireException(Fault.MALFORMED, "The query string is not valid UTF-8.");
    }
  }
}
