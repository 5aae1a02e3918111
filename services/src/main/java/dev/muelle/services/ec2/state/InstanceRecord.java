package dev.muelle.services.ec2.state;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.IamInstanceProfile;
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
 * @param association of its profile, by id; null if it has none, or if its id follows from its own
 * @param rebooting whether it is to boot anew
 * @param boots how often it has booted anew
 * @param keptAlive whether callers may not terminate it
 * @param keptRunning whether callers may neither stop nor terminate it
 */
public record InstanceRecord(
    Instance instance,
    String reservation,
    @Nullable String interfaceId,
    @Nullable String userData,
    @Nullable Instant terminatedAt,
    @Nullable String publicKey,
    boolean addressAgain,
    @Nullable String association,
    boolean rebooting,
    int boots,
    boolean keptAlive,
    boolean keptRunning) {

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

  /** One that is launched. */
  public static InstanceRecord launched(
      Instance instance,
      String reservation,
      String interfaceId,
      @Nullable String userData,
      @Nullable String publicKey) {
    return new InstanceRecord(
            instance,
            reservation,
            interfaceId,
            userData,
            null,
            publicKey,
            false,
            null,
            false,
            0,
            false,
            false)
        .in(InstanceStateName.PENDING);
  }

  public InstanceRecord with(UnaryOperator<Instance.Builder> change) {
    return but(draft -> draft.instance = change.apply(instance.toBuilder()).build());
  }

  public InstanceRecord addressed(boolean again) {
    return but(draft -> draft.addressAgain = again);
  }

  /** Associated with a profile by that id, or with none. */
  public InstanceRecord associated(@Nullable IamInstanceProfile profile, @Nullable String id) {
    return with(i -> i.iamInstanceProfile(profile)).but(draft -> draft.association = id);
  }

  /** What its profile's association is called; one from its launch is named after the instance. */
  public String associationId() {
    return association == null ? "iip-assoc-" + id().substring("i-".length()) : association;
  }

  /** To boot anew. */
  public InstanceRecord reboots() {
    return but(draft -> draft.rebooting = true);
  }

  /** It boots, and nothing of what ran in it before is left. */
  public InstanceRecord wentDown() {
    return but(draft -> {
      draft.rebooting = false;
      draft.boots++;
    });
  }

  /** Kept from callers who would terminate it, or stop it. */
  public InstanceRecord kept(boolean alive, boolean running) {
    return but(draft -> {
      draft.keptAlive = alive;
      draft.keptRunning = running;
    });
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
    return but(
            draft -> {
              draft.interfaceId = null;
              draft.userData = null;
              draft.terminatedAt = now;
              draft.publicKey = null;
              draft.addressAgain = false;
              draft.rebooting = false;
            })
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

  private InstanceRecord but(Consumer<Draft> change) {
    Draft draft = new Draft(this);
    change.accept(draft);
    return new InstanceRecord(
        draft.instance,
        reservation,
        draft.interfaceId,
        draft.userData,
        draft.terminatedAt,
        draft.publicKey,
        draft.addressAgain,
        draft.association,
        draft.rebooting,
        draft.boots,
        draft.keptAlive,
        draft.keptRunning);
  }

  /** What changes, while it does. */
  private static final class Draft {
    private Instance instance;
    private @Nullable String interfaceId;
    private @Nullable String userData;
    private @Nullable Instant terminatedAt;
    private @Nullable String publicKey;
    private boolean addressAgain;
    private @Nullable String association;
    private boolean rebooting;
    private int boots;
    private boolean keptAlive;
    private boolean keptRunning;

    Draft(InstanceRecord before) {
      instance = before.instance;
      interfaceId = before.interfaceId;
      userData = before.userData;
      terminatedAt = before.terminatedAt;
      publicKey = before.publicKey;
      addressAgain = before.addressAgain;
      association = before.association;
      rebooting = before.rebooting;
      boots = before.boots;
      keptAlive = before.keptAlive;
      keptRunning = before.keptRunning;
    }
  }
}
