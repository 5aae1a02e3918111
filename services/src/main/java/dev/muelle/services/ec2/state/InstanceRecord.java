package dev.muelle.services.ec2.state;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.InstanceMetadataTagsState;
import software.amazon.awssdk.services.ec2.model.InstanceStateName;

/**
 * An instance as stored: what DescribeInstances shows but for its tags and interface, and what only
 * other operations show.
 *
 * @param reservation the launch that it came of
 * @param interfaceId its own interface; null once it is terminated
 * @param userData in base64, as it was given; null if none was
 * @param terminatedAt null as long as it is not
 * @param publicKey of the key pair that it was launched with, whatever became of that; null if none
 * @param addressAgain whether it gave its public address back, and gets another when it is started
 */
public record InstanceRecord(
    Instance instance,
    String reservation,
    @Nullable String interfaceId,
    @Nullable String userData,
    @Nullable Instant terminatedAt,
    @Nullable String publicKey,
    boolean addressAgain) {

  private static final DateTimeFormatter SECONDS =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss 'GMT'").withZone(ZoneOffset.UTC);

  /** The id as it is given, if it could be one. */
  public static String wellFormed(String id) {
    if (!id.matches("i-[0-9a-f]{8}([0-9a-f]{9})?")) {
      throw Refuse.because(
          "InvalidInstanceID.Malformed", "Invalid id: \"" + id + "\" (expecting \"i-...\")");
    }
    return id;
  }

  public String id() {
    return instance.instanceId();
  }

  public InstanceStateName state() {
    return instance.state().name();
  }

  /** Whether its metadata shows its tags. */
  public boolean tagsInMetadata() {
    return instance.metadataOptions() != null
        && instance.metadataOptions().instanceMetadataTags() == InstanceMetadataTagsState.ENABLED;
  }

  public InstanceRecord with(UnaryOperator<Instance.Builder> change) {
    return new InstanceRecord(
        change.apply(instance.toBuilder()).build(),
        reservation,
        interfaceId,
        userData,
        terminatedAt,
        publicKey,
        addressAgain);
  }

  public InstanceRecord addressed(boolean again) {
    return new InstanceRecord(
        instance, reservation, interfaceId, userData, terminatedAt, publicKey, again);
  }

  /** Why it stops, or ends. */
  public InstanceRecord shutDownByUser(Instant now) {
    String text = "Client.UserInitiatedShutdown";
    return with(i ->
        i.stateReason(r -> r.code(text).message(text + ": User initiated shutdown"))
            .stateTransitionReason("User initiated (" + SECONDS.format(now) + ")"));
  }

  /** Without what only living ones have. */
  public InstanceRecord ended(Instant now) {
    return new InstanceRecord(instance, reservation, null, null, now, null, false)
        .in(InstanceStateName.TERMINATED);
  }

  /** In another state; the codes are the API's. */
  public InstanceRecord in(InstanceStateName state) {
    int code =
        switch (state) {
          case PENDING -> 0;
          case RUNNING -> 16;
          case SHUTTING_DOWN -> 32;
          case TERMINATED -> 48;
          case STOPPING -> 64;
          case STOPPED -> 80;
          case UNKNOWN_TO_SDK_VERSION -> throw new IllegalArgumentException("no state");
        };
    return with(i -> i.state(s -> s.name(state).code(code)));
  }
}
