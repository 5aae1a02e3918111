package dev.muelle.wire;

import java.math.BigDecimal;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.SdkField;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.core.document.Document;
import software.amazon.awssdk.core.protocol.MarshallLocation;
import software.amazon.awssdk.core.traits.ListTrait;
import software.amazon.awssdk.core.traits.MapTrait;
import software.amazon.awssdk.core.traits.TimestampFormatTrait;
import software.amazon.awssdk.core.traits.TimestampFormatTrait.Format;

/**
 * Makes up model objects of any class, with every kind of member that it has.
 *
 * @param chance that a member is set, from 0 to 1
 * @param deepest how many structures may be nested; recursive shapes end there
 * @param empties whether empty structures, lists and maps may occur: the query protocols cannot
 *     tell them from unset ones
 */
record Generator(RandomGenerator random, double chance, int deepest, boolean empties) {
  private static final String CHARACTERS =
      "abcXYZ019 +&=%<>\"'/\\.,:;-_~\t\nñ€é漢\uD83D\uDE80\u0085";

  /** EC2's client cuts the milliseconds off these in some requests. */
  private static final Set<String> CUT_BY_CLIENT = Set.of("StartTime", "ValidFrom", "ValidUntil");

  private static final int[] CODE_POINTS = CHARACTERS.codePoints().toArray();

  /** Fills a builder and builds it. */
  SdkPojo fill(SdkPojo builder) {
    fill(builder, 0);
    return Shapes.build(builder);
  }

  /** Whether any member was set. */
  boolean fill(SdkPojo builder, int depth) {
    boolean any = false;
    for (SdkField<?> field : builder.sdkFields()) {
      // Without one, EC2's client would make a presigned URL, out of a region that we made up.
      boolean always = field.memberName().equals("PresignedUrl");
      if (always || random.nextDouble() < chance) {
        Object value = inPath(field) ? "/" + text() : value(field, depth);
        if (value != null) {
          field.set(builder, value);
          any = true;
        }
      }
    }
    return any;
  }

  /** A path may have none that is empty, or that is a dot. */
  private static boolean inPath(SdkField<?> field) {
    return field.location() == MarshallLocation.PATH;
  }

  private @Nullable Object value(SdkField<?> field, int depth) {
    return switch (field.marshallingType().getKnownType()) {
      case SDK_POJO -> {
        if (depth == deepest) {
          yield null;
        }
        SdkPojo builder = field.constructor().get();
        yield fill(builder, depth + 1) || empties ? Shapes.build(builder) : null;
      }
      case LIST -> {
        SdkField<?> item = field.getRequiredTrait(ListTrait.class).memberFieldInfo();
        List<Object> list = new ArrayList<>();
        for (int i = size(); i > 0; i--) {
          Object value = value(item, depth);
          if (value != null) {
            list.add(value);
          }
        }
        yield list.isEmpty() && !empties ? null : list;
      }
      case MAP -> {
        SdkField<?> item = field.getRequiredTrait(MapTrait.class).valueFieldInfo();
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = size(); i > 0; i--) {
          Object value = value(item, depth);
          if (value != null) {
            map.put(text(), value);
          }
        }
        yield map.isEmpty() && !empties ? null : map;
      }
      case STRING -> text();
      case BOOLEAN -> random.nextBoolean();
      case INTEGER -> random.nextInt();
      case LONG -> random.nextLong();
      case SHORT -> (short) random.nextInt();
      case BYTE -> (byte) random.nextInt();
      case DOUBLE -> random.nextGaussian() * 1e6;
      case FLOAT -> (float) random.nextGaussian();
      case BIG_DECIMAL -> BigDecimal.valueOf(random.nextLong(), 5);
      case INSTANT -> {
        Instant time = Instant.ofEpochMilli(random.nextLong(4_000_000_000_000L));
        TimestampFormatTrait trait = field.getTrait(TimestampFormatTrait.class);
        boolean coarse =
            (trait != null && trait.format() == Format.RFC_822)
                || (field.memberName() != null && CUT_BY_CLIENT.contains(field.memberName()));
        yield coarse ? time.truncatedTo(ChronoUnit.SECONDS) : time;
      }
      case SDK_BYTES -> {
        byte[] bytes = new byte[random.nextInt(20)];
        random.nextBytes(bytes);
        yield SdkBytes.fromByteArray(bytes);
      }
      case DOCUMENT -> Document.fromString(text());
      case NULL -> null;
    };
  }

  private int size() {
    return empties ? random.nextInt(3) : 1 + random.nextInt(2);
  }

  String text() {
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(12); i > 0; i--) {
      text.appendCodePoint(CODE_POINTS[random.nextInt(CODE_POINTS.length)]);
    }
    return text.toString();
  }
}
