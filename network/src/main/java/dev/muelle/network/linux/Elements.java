package dev.muelle.network.linux;

import dev.muelle.linux.FilterSocket.Element;
import dev.muelle.linux.FilterSocket.Value;
import dev.muelle.network.Cidr;
import dev.muelle.network.Cidr6;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Scripts that only change what is in sets and maps, read as what the kernel is told directly.
 * These are what each interface costs; to start nft(8) for them costs more than the interface.
 */
final class Elements {

  /** What {@link Ruleset} writes of one interface; intervals and other types are for nft. */
  private static final Pattern LINE =
      Pattern.compile(
          "(add|delete) element "
              + Pattern.quote(Ruleset.TABLE)
              + " (bound6?|public|private|egress6?|ingress6?|members6?_\\w+)"
              + " \\{ (?:\"([^\"]{1,15})\" \\. )?([0-9a-f.:]+)(?: : (?:jump (\\w+)|0x([0-9a-f]{8})|([0-9.]+)))? \\}");

  /** What {@link GroupRules} writes of one rule: a block perhaps, and numbers. */
  private static final Pattern BOX =
      Pattern.compile(
          "(add|delete) element "
              + Pattern.quote(Ruleset.TABLE)
              + " (allow6?_\\w+) \\{ ([0-9a-f.: -]+) \\}");

  private static final int NAME = 16; // IFNAMSIZ

  private Elements() {}

  /** Gives nothing if there is anything else in a script. */
  static Optional<List<Element>> read(String script) {
    List<Element> elements = new ArrayList<>();
    for (String line : script.lines().toList()) {
      Matcher found = LINE.matcher(line);
      if (!found.matches()) {
        Matcher box = BOX.matcher(line);
        if (!box.matches()) {
          return Optional.empty();
        }
        elements.add(box(box.group(1).equals("add"), box.group(2), box.group(3)));
        continue;
      }
      boolean added = found.group(1).equals("add");
      elements.add(
          new Element(
              added,
              found.group(2),
              key(found.group(3), found.group(4)),
              null,
              value(found.group(5), found.group(6), found.group(7))));
    }
    return Optional.of(elements);
  }

  /** Each part a number or a range of two, of which an address has dots inside. */
  private static Element box(boolean added, String set, String text) {
    List<String> parts = List.of(text.split(" \\. ", -1));
    int length =
        (parts.size() - 1) * Integer.BYTES + (text.indexOf(':') < 0 ? Integer.BYTES : Cidr6.BYTES);
    ByteBuffer first = ByteBuffer.allocate(length);
    ByteBuffer last = ByteBuffer.allocate(length);
    for (int i = 0; i < parts.size(); i++) {
      String part = parts.get(i);
      int dash = part.indexOf('-');
      boolean port = set.endsWith("_ports") && i == parts.size() - 1; // the others are octets
      first.put(padded(dash < 0 ? part : part.substring(0, dash), port));
      last.put(padded(dash < 0 ? part : part.substring(dash + 1), port));
    }
    return new Element(added, set, first.array(), last.array(), null);
  }

  /** An address, or four bytes, as many of which are meant as the part's type has. */
  private static byte[] padded(String number, boolean port) {
    if (number.indexOf('.') >= 0 || number.indexOf(':') >= 0) {
      return address(number);
    }
    ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES);
    int value = Integer.parseInt(number);
    return port ? bytes.putShort((short) value).array() : bytes.put((byte) value).array();
  }

  private static byte[] key(@Nullable String link, String address) {
    byte[] number = address(address);
    if (link == null) {
      return number;
    }
    return ByteBuffer.allocate(NAME + number.length)
        .put(link.getBytes(StandardCharsets.US_ASCII))
        .position(NAME)
        .put(number)
        .array();
  }

  private static @Nullable Value value(
      @Nullable String chain, @Nullable String mark, @Nullable String address) {
    if (chain != null) {
      return new Value.Jump(chain);
    }
    if (mark != null) {
      int number = Integer.parseUnsignedInt(mark, 16);
      return new Value.Data(
          ByteBuffer.allocate(Integer.BYTES)
              .order(ByteOrder.nativeOrder()) // as the packet bears it
              .putInt(number)
              .array());
    }
    return address == null ? null : new Value.Data(address(address));
  }

  private static byte[] address(String address) {
    return address.indexOf(':') < 0
        ? ByteBuffer.allocate(Integer.BYTES).putInt(Cidr.address(address)).array()
        : Cidr6.address(address);
  }
}
