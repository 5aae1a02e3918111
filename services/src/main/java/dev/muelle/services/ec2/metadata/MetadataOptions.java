package dev.muelle.services.ec2.metadata;

import dev.muelle.services.ec2.state.InstanceRecord;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.services.ec2.state.Tags;
import dev.muelle.store.Store;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.HttpTokensState;
import software.amazon.awssdk.services.ec2.model.Image;
import software.amazon.awssdk.services.ec2.model.ImdsSupportValues;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.InstanceMetadataEndpointState;
import software.amazon.awssdk.services.ec2.model.InstanceMetadataOptionsRequest;
import software.amazon.awssdk.services.ec2.model.InstanceMetadataOptionsResponse;
import software.amazon.awssdk.services.ec2.model.InstanceMetadataOptionsState;
import software.amazon.awssdk.services.ec2.model.InstanceMetadataProtocolState;
import software.amazon.awssdk.services.ec2.model.InstanceMetadataTagsState;
import software.amazon.awssdk.services.ec2.model.InstanceStateName;
import software.amazon.awssdk.services.ec2.model.ModifyInstanceMetadataOptionsRequest;
import software.amazon.awssdk.services.ec2.model.ModifyInstanceMetadataOptionsResponse;

/**
 * How an instance's metadata may be asked for.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-options.html">Instance
 *     metadata options</a>
 */
public final class MetadataOptions {

  private static final int MOST_HOPS = 64;

  /** Of images that say nothing of it. */
  private static final InstanceMetadataOptionsResponse PLAIN =
      InstanceMetadataOptionsResponse.builder()
          .state(InstanceMetadataOptionsState.APPLIED)
          .httpTokens(HttpTokensState.OPTIONAL)
          .httpPutResponseHopLimit(1)
          .httpEndpoint(InstanceMetadataEndpointState.ENABLED)
          .httpProtocolIpv6(InstanceMetadataProtocolState.DISABLED)
          .instanceMetadataTags(InstanceMetadataTagsState.DISABLED)
          .build();

  private final Store store;

  public MetadataOptions(Store store) {
    this.store = store;
  }

  /** Those of an instance. */
  public static InstanceMetadataOptionsResponse of(Instance instance) {
    return Objects.requireNonNullElse(instance.metadataOptions(), PLAIN);
  }

  /**
   * Those that an instance begins with.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-options.html#instance-metadata-options-order-of-precedence">Order
   *     of precedence</a>
   */
  public static InstanceMetadataOptionsResponse atLaunch(
      @Nullable InstanceMetadataOptionsRequest asked, Image image) {
    InstanceMetadataOptionsResponse usual =
        image.imdsSupport() == ImdsSupportValues.V2_0
            ? PLAIN.toBuilder()
                .httpTokens(HttpTokensState.REQUIRED)
                .httpPutResponseHopLimit(2)
                .build()
            : PLAIN;
    return asked == null
        ? usual
        : changed(
            usual,
            ModifyInstanceMetadataOptionsRequest.builder()
                .httpTokens(asked.httpTokensAsString())
                .httpPutResponseHopLimit(asked.httpPutResponseHopLimit())
                .httpEndpoint(asked.httpEndpointAsString())
                .httpProtocolIpv6(asked.httpProtocolIpv6AsString())
                .instanceMetadataTags(asked.instanceMetadataTagsAsString())
                .build());
  }

  private static InstanceMetadataOptionsResponse changed(
      InstanceMetadataOptionsResponse present, ModifyInstanceMetadataOptionsRequest asked) {
    InstanceMetadataOptionsResponse.Builder options = present.toBuilder();
    if (asked.httpTokens() != null) {
      known(
          asked.httpTokens() != HttpTokensState.UNKNOWN_TO_SDK_VERSION,
          "HttpTokens",
          asked.httpTokensAsString());
      options.httpTokens(asked.httpTokens());
    }
    if (asked.httpEndpoint() != null) {
      known(
          asked.httpEndpoint() != InstanceMetadataEndpointState.UNKNOWN_TO_SDK_VERSION,
          "HttpEndpoint",
          asked.httpEndpointAsString());
      options.httpEndpoint(asked.httpEndpoint());
    }
    if (asked.instanceMetadataTags() != null) {
      known(
          asked.instanceMetadataTags() != InstanceMetadataTagsState.UNKNOWN_TO_SDK_VERSION,
          "InstanceMetadataTags",
          asked.instanceMetadataTagsAsString());
      options.instanceMetadataTags(asked.instanceMetadataTags());
    }
    if (asked.httpProtocolIpv6() == InstanceMetadataProtocolState.ENABLED) {
      throw Refuse.unsupported(
          "The value enabled of the parameter HttpProtocolIpv6 is not supported by this region"
              + " yet.");
    }
    known(
        asked.httpProtocolIpv6() != InstanceMetadataProtocolState.UNKNOWN_TO_SDK_VERSION,
        "HttpProtocolIpv6",
        asked.httpProtocolIpv6AsString());
    Integer hops = asked.httpPutResponseHopLimit();
    if (hops != null) {
      if (hops < 1 || hops > MOST_HOPS) {
        throw Refuse.invalidValue(
            hops.toString(), "HttpPutResponseHopLimit", "It must be between 1 and 64.");
      }
      options.httpPutResponseHopLimit(hops);
    }
    return options.build();
  }

  private static void known(boolean known, String parameter, @Nullable String value) {
    if (!known) {
      throw Refuse.invalidValue(String.valueOf(value), parameter, "Unknown value.");
    }
  }

  /** What is not said stays; the next question of the instance is answered accordingly. */
  public ModifyInstanceMetadataOptionsResponse modify(
      ModifyInstanceMetadataOptionsRequest request) {
    Refuse.unlessEffective(
        request,
        Set.of(
            "InstanceId",
            "HttpTokens",
            "HttpPutResponseHopLimit",
            "HttpEndpoint",
            "HttpProtocolIpv6",
            "InstanceMetadataTags",
            "DryRun"));
    String id = InstanceRecord.wellFormed(Refuse.required(request.instanceId(), "InstanceId"));
    InstanceMetadataOptionsResponse now =
        store.write(tx -> {
          InstanceRecord record = Kind.INSTANCE.get(tx, id);
          if (record.state() == InstanceStateName.SHUTTING_DOWN
              || record.state() == InstanceStateName.TERMINATED) {
            throw Refuse.because(
                "IncorrectInstanceState",
                "The instance '"
                    + id
                    + "' is not in a state from which its metadata options can be"
                    + " modified.");
          }
          InstanceMetadataOptionsResponse options = changed(of(record.instance()), request);
          InstanceRecord changed = record.with(i -> i.metadataOptions(options));
          if (changed.tagsInMetadata()) {
            Tags.namedForMetadata(Tags.of(tx, id));
          }
          tx.put(Tables.INSTANCES, id, changed);
          Refuse.ifDryRun(request.dryRun());
          return options;
        });
    return ModifyInstanceMetadataOptionsResponse.builder()
        .instanceId(id)
        .instanceMetadataOptions(
            now.toBuilder().state(InstanceMetadataOptionsState.PENDING).build())
        .build();
  }
}
