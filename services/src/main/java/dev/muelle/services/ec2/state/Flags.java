package dev.muelle.services.ec2.state;

import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.AttributeBooleanValue;

/** Attributes that are true or false, as EC2 wraps them. */
public final class Flags {

  private Flags() {}

  public static @Nullable Boolean value(@Nullable AttributeBooleanValue given) {
    return given == null ? null : given.value();
  }

  public static AttributeBooleanValue of(boolean value) {
    return AttributeBooleanValue.builder().value(value).build();
  }
}
