package dev.muelle.wire;

import java.math.BigDecimal;
import java.time.DateTimeException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.SdkField;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.core.traits.ListTrait;
import software.amazon.awssdk.core.traits.MapTrait;
import software.amazon.awssdk.core.traits.TimestampFormatTrait.Format;

/** Parameters with dotted names into model objects. */
final class QueryReader {
  private static final int DEEPEST = 64;

  /** Parameters that belong to the request, not to the operation. */
  private static final Set<String> COMMON =
      Set.of(
          "Action",
          "Version",
          "AWSAccessKeyId",
          "Expires",
          "SecurityToken",
          "Signature",
          "SignatureMethod",
          "SignatureVersion",
          "Timestamp");

  private final Node root = new Node("");
  private final boolean ec2;

  /**
   * A reader of a request.
   *
   * @param ec2 whether lists are numbered directly, as ec2Query has it
   */
  QueryReader(Map<String, String> parameters, boolean ec2) {
    this.ec2 = ec2;
    parameters.forEach(this::plant);
  }

  /** One part of a dotted name, with what is below it. */
  private static final class Node {
    private final String path;
    private final Map<String, Node> children = new LinkedHashMap<>();
    private @Nullable String value;
    private boolean read;

    Node(String path) {
      this.path = path;
    }

    @Nullable Node child(String name) {
      return children.get(name);
    }

    String text() {
      read = true;
      return value == null ? "" : value;
    }
  }

  private void plant(String name, String value) {
    if (COMMON.contains(name) || name.startsWith("X-Amz-")) {
      return;
    }
    Node node = root;
    int depth = 0;
    for (int start = 0; start <= name.length(); ) {
      int dot = name.indexOf('.', start);
      int end = dot < 0 ? name.length() : dot;
      if (++depth > DEEPEST) {
        throw new WireException(Fault.MALFORMED, "A parameter name has more than 64 parts.");
      }
      String path = name.substring(0, end);
      node = node.children.computeIfAbsent(name.substring(start, end), any -> new Node(path));
      start = end + 1;
    }
    node.value = value;
  }

  SdkPojo request(SdkPojo builder) {
    return struct(root, builder);
  }

  /**
   * Refuses what the model did not ask for.
   *
   * @throws WireException (unknown member) that names the first such parameter
   */
  void refuseUnread() {
    refuseUnread(root);
  }

  private static void refuseUnread(Node node) {
    if (node.value != null && !node.read) {
      throw new WireException(
          Fault.UNKNOWN_MEMBER, "The parameter " + node.path + " is not recognized");
    }
    node.children.values().forEach(QueryReader::refuseUnread);
  }

  private SdkPojo struct(Node node, SdkPojo builder) {
    for (SdkField<?> field : builder.sdkFields()) {
      Node child = node.child(field.locationName());
      if (child != null) {
        field.set(builder, value(child, field));
      }
    }
    return Shapes.build(builder);
  }

  private Object value(Node node, SdkField<?> field) {
    try {
      return switch (field.marshallingType().getKnownType()) {
        case SDK_POJO -> {
          node.read = true;
          yield struct(node, field.constructor().get());
        }
        case LIST -> list(node, field.getRequiredTrait(ListTrait.class));
        case MAP -> map(node, field.getRequiredTrait(MapTrait.class));
        case STRING -> node.text();
        case BOOLEAN -> bool(node);
        case INTEGER -> Integer.valueOf(node.text());
        case LONG -> Long.valueOf(node.text());
        case SHORT -> Short.valueOf(node.text());
        case BYTE -> Byte.valueOf(node.text());
        case DOUBLE -> Double.valueOf(node.text());
        case FLOAT -> Float.valueOf(node.text());
        case BIG_DECIMAL -> new BigDecimal(node.text());
        case INSTANT -> Timestamps.read(node.text(), Timestamps.format(field, Format.ISO_8601));
        case SDK_BYTES -> SdkBytes.fromByteArrayUnsafe(Base64.getDecoder().decode(node.text()));
        case DOCUMENT, NULL ->
            throw new IllegalArgumentException("the query protocols have no documents");
      };
    } catch (IllegalArgumentException | DateTimeException e) {
      throw new WireException(
          Fault.BAD_VALUE, "Invalid value '" + node.text() + "' for the parameter " + node.path);
    }
  }

  private static Boolean bool(Node node) {
    return switch (node.text().toLowerCase(Locale.ROOT)) {
      case "true" -> true;
      case "false" -> false;
      default -> throw new IllegalArgumentException();
    };
  }

  private List<Object> list(Node node, ListTrait trait) {
    SdkField<?> item = trait.memberFieldInfo();
    Node numbered = node;
    if (!ec2 && !trait.isFlattened()) {
      Node named = node.child(item.locationName());
      numbered = named == null ? node : named;
    }
    if (node.value != null && node.value.isEmpty()) {
      node.read = true; // the form of an empty list
    }
    List<Object> list = new ArrayList<>();
    inOrder(numbered).forEach(child -> list.add(value(child, item)));
    return list;
  }

  private Map<String, Object> map(Node node, MapTrait trait) {
    Node numbered = trait.isFlattened() ? node : node.child("entry");
    Map<String, Object> map = new LinkedHashMap<>();
    if (numbered != null) {
      for (Node entry : inOrder(numbered)) {
        Node key = entry.child(trait.keyLocationName());
        Node value = entry.child(trait.valueLocationName());
        if (key == null || value == null) {
          throw new WireException(
              Fault.MALFORMED, "The map entry " + entry.path + " lacks its key or its value");
        }
        map.put(key.text(), value(value, trait.valueFieldInfo()));
      }
    }
    return map;
  }

  /** The numbered children; numbers may have gaps and say only the order. */
  private static Iterable<Node> inOrder(Node node) {
    TreeMap<Integer, Node> ordered = new TreeMap<>();
    node.children.forEach((name, child) -> {
      try {
        ordered.put(Integer.valueOf(name), child);
      } catch (NumberFormatException e) {
        throw new WireException(
            Fault.MALFORMED, "The parameter " + child.path + " has no number where one belongs");
      }
    });
    return ordered.values();
  }
}
