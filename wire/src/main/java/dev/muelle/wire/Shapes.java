package dev.muelle.wire;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.SdkField;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.utils.builder.SdkBuilder;

/** The members of model classes by their wire names, looked up once per class. */
final class Shapes {
  private final Map<Class<?>, Map<String, SdkField<?>>> byLocation = new ConcurrentHashMap<>();

  /** The member that requests of the JSON protocols call {@code wireName}. */
  @Nullable SdkField<?> member(SdkPojo builder, String wireName) {
    return byLocation
        .computeIfAbsent(builder.getClass(), any -> index(builder.sdkFields()))
        .get(wireName);
  }

  private static Map<String, SdkField<?>> index(List<SdkField<?>> fields) {
    Map<String, SdkField<?>> index = HashMap.newHashMap(fields.size());
    for (SdkField<?> field : fields) {
      index.put(field.locationName(), field);
    }
    return index;
  }

  static SdkPojo build(SdkPojo builder) {
    return (SdkPojo) ((SdkBuilder<?, ?>) builder).build();
  }
}
