package dev.muelle.services.ec2.instance;

import dev.muelle.services.ec2.eni.NetworkInterfaces;
import dev.muelle.services.ec2.state.Flags;
import dev.muelle.services.ec2.state.InstanceRecord;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.AttributeBooleanValue;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceAttributeRequest;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceAttributeResponse;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.InstanceStateName;
import software.amazon.awssdk.services.ec2.model.ModifyInstanceAttributeRequest;
import software.amazon.awssdk.services.ec2.model.ModifyInstanceAttributeResponse;
import software.amazon.awssdk.services.ec2.model.ModifyNetworkInterfaceAttributeRequest;

/**
 * Attributes of instances, one at a time.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceAttribute.html">DescribeInstanceAttribute</a>
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceAttribute.html">ModifyInstanceAttribute</a>
 */
public final class InstanceAttributes {

  private final Store store;
  private final NetworkInterfaces interfaces;
  private final Instances instances;

  public InstanceAttributes(Store store, NetworkInterfaces interfaces, Instances instances) {
    this.store = store;
    this.interfaces = interfaces;
    this.instances = instances;
  }

  public DescribeInstanceAttributeResponse describe(DescribeInstanceAttributeRequest request) {
    String id = InstanceRecord.wellFormed(Refuse.required(request.instanceId(), "instanceId"));
    Refuse.required(request.attributeAsString(), "attribute");
    return store.read(tx -> {
      InstanceRecord record = Kind.INSTANCE.get(tx, id);
      Instance shown = instances.shown(tx, record);
      DescribeInstanceAttributeResponse.Builder answer =
          DescribeInstanceAttributeResponse.builder().instanceId(id);
      switch (request.attribute()) {
        case USER_DATA -> answer.userData(v -> v.value(record.userData()));
        case INSTANCE_TYPE -> answer.instanceType(v -> v.value(shown.instanceTypeAsString()));
        case GROUP_SET -> answer.groups(shown.securityGroups());
        case SOURCE_DEST_CHECK -> answer.sourceDestCheck(v -> v.value(shown.sourceDestCheck()));
        case DISABLE_API_TERMINATION -> answer.disableApiTermination(Flags.of(record.keptAlive()));
        case DISABLE_API_STOP -> answer.disableApiStop(Flags.of(record.keptRunning()));
        case INSTANCE_INITIATED_SHUTDOWN_BEHAVIOR ->
            answer.instanceInitiatedShutdownBehavior(v -> v.value("stop"));
        case EBS_OPTIMIZED -> answer.ebsOptimized(Flags.of(shown.ebsOptimized()));
        case ENA_SUPPORT -> answer.enaSupport(Flags.of(shown.enaSupport()));
        case ENCLAVE_OPTIONS -> answer.enclaveOptions(v -> v.enabled(false));
        case ROOT_DEVICE_NAME -> answer.rootDeviceName(v -> v.value(shown.rootDeviceName()));
        // Of these it has none, which is told as an empty one:
        case BLOCK_DEVICE_MAPPING -> answer.blockDeviceMappings(List.of());
        case PRODUCT_CODES -> answer.productCodes(List.of());
        case KERNEL -> answer.kernelId(v -> {});
        case RAMDISK -> answer.ramdiskId(v -> {});
        case SRIOV_NET_SUPPORT -> answer.sriovNetSupport(v -> {});
        case UNKNOWN_TO_SDK_VERSION -> throw Refuse.unknownAttribute(request.attributeAsString());
      }
      Refuse.ifDryRun(request.dryRun());
      return answer.build();
    });
  }

  /**
   * Changes what may be changed of an instance while it runs: whether callers may terminate or stop
   * it, its only interface's groups, and whether that speaks for itself only.
   */
  public ModifyInstanceAttributeResponse modify(ModifyInstanceAttributeRequest given) {
    ModifyInstanceAttributeRequest request = spelled(given);
    Refuse.unlessEffective(
        request,
        Set.of(
            "InstanceId",
            "SourceDestCheck",
            "Groups",
            "DisableApiTermination",
            "DisableApiStop",
            "InstanceInitiatedShutdownBehavior",
            "DryRun"));
    String id = InstanceRecord.wellFormed(Refuse.required(request.instanceId(), "instanceId"));
    Boolean alive = Flags.value(request.disableApiTermination());
    Boolean running = Flags.value(request.disableApiStop());
    String behavior =
        request.instanceInitiatedShutdownBehavior() == null
            ? null
            : request.instanceInitiatedShutdownBehavior().value();
    boolean check = request.sourceDestCheck() != null;
    boolean groups = !request.groups().isEmpty();
    long attributes =
        Stream.of(check, groups, alive != null, running != null, behavior != null)
            .filter(said -> said)
            .count();
    if (attributes > 1) {
      throw Refuse.combination("Fields for multiple attribute types specified");
    }
    if (attributes == 0) {
      throw Refuse.combination("No attributes specified.");
    }
    if (check || groups) {
      return interfaceOf(id, request);
    }
    Protection.shutdownBehavior(behavior);
    store.write(tx -> {
      InstanceRecord record = Kind.INSTANCE.get(tx, id);
      if (record.state() == InstanceStateName.SHUTTING_DOWN
          || record.state() == InstanceStateName.TERMINATED) {
        throw notNow(id);
      }
      tx.put(
          Tables.INSTANCES,
          id,
          record.kept(
              Objects.requireNonNullElse(alive, record.keptAlive()),
              Objects.requireNonNullElse(running, record.keptRunning())));
      Refuse.ifDryRun(request.dryRun());
      return true;
    });
    return ModifyInstanceAttributeResponse.builder().build();
  }

  /** In the older form an attribute is named, and its value follows. */
  private static ModifyInstanceAttributeRequest spelled(ModifyInstanceAttributeRequest request) {
    if (request.attribute() == null) {
      return request;
    }
    ModifyInstanceAttributeRequest.Builder spelled =
        request.toBuilder().attribute((String) null).value(null);
    switch (request.attribute()) {
      case DISABLE_API_TERMINATION -> spelled.disableApiTermination(flag(request.value()));
      case DISABLE_API_STOP -> spelled.disableApiStop(flag(request.value()));
      case SOURCE_DEST_CHECK -> spelled.sourceDestCheck(flag(request.value()));
      case INSTANCE_INITIATED_SHUTDOWN_BEHAVIOR ->
          spelled.instanceInitiatedShutdownBehavior(
              v -> v.value(Refuse.required(request.value(), "value")));
      case UNKNOWN_TO_SDK_VERSION -> throw Refuse.unknownAttribute(request.attributeAsString());
      default ->
          throw Refuse.unsupported(
              "The attribute "
                  + request.attributeAsString()
                  + " cannot be modified in this region yet.");
    }
    return spelled.build();
  }

  private static AttributeBooleanValue flag(@Nullable String value) {
    return switch (Refuse.required(value, "value").toLowerCase(Locale.ROOT)) {
      case "true" -> Flags.of(true);
      case "false" -> Flags.of(false);
      default ->
          throw Refuse.invalidValue(String.valueOf(value), "value", "Expected true or false.");
    };
  }

  private static RuntimeException notNow(String id) {
    return Refuse.because(
        "IncorrectInstanceState",
        "The instance '" + id + "' is not in a state from which it can be modified.");
  }

  private ModifyInstanceAttributeResponse interfaceOf(
      String id, ModifyInstanceAttributeRequest request) {
    String eni = store.read(tx -> onlyInterface(tx, id));
    interfaces.modify(
        ModifyNetworkInterfaceAttributeRequest.builder()
            .networkInterfaceId(eni)
            .sourceDestCheck(request.sourceDestCheck())
            .groups(request.groups())
            .dryRun(request.dryRun())
            .build());
    return ModifyInstanceAttributeResponse.builder().build();
  }

  /** The interface that is meant where an instance is named. */
  private static String onlyInterface(Tx tx, String id) {
    InstanceRecord record = Kind.INSTANCE.get(tx, id);
    if (record.interfaceId() == null) {
      throw notNow(id);
    }
    if (Attachments.of(tx, id).size() > 1) {
      throw Refuse.because(
          "InvalidInstanceID",
          "There are multiple interfaces attached to instance '"
              + id
              + "'. Please specify an interface ID for the operation instead.");
    }
    return record.interfaceId();
  }
}
