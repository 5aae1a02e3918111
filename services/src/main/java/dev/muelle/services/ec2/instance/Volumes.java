package dev.muelle.services.ec2.instance;

import dev.muelle.services.ec2.state.Filters;
import dev.muelle.services.ec2.state.Pages;
import dev.muelle.services.ec2.state.Refuse;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.DescribeVolumeAttributeRequest;
import software.amazon.awssdk.services.ec2.model.DescribeVolumeAttributeResponse;
import software.amazon.awssdk.services.ec2.model.DescribeVolumeStatusRequest;
import software.amazon.awssdk.services.ec2.model.DescribeVolumeStatusResponse;
import software.amazon.awssdk.services.ec2.model.DescribeVolumesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeVolumesResponse;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.Volume;
import software.amazon.awssdk.services.ec2.model.VolumeAttributeName;
import software.amazon.awssdk.services.ec2.model.VolumeStatusItem;

/**
 * EBS volumes, of which there are none: an instance has files only as far as its tasks need some,
 * in a directory without a size. So no instance names a volume, and launches refuse block devices.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVolumes.html">DescribeVolumes</a>
 */
public final class Volumes {

  private static final Pattern ID = Pattern.compile("vol-[0-9a-f]{8}([0-9a-f]{9})?");

  private static final Filters<Volume> FILTERS =
      new Filters<>(Volume::tags)
          .none(
              "attachment.attach-time",
              "attachment.delete-on-termination",
              "attachment.device",
              "attachment.instance-id",
              "attachment.status",
              "availability-zone",
              "availability-zone-id",
              "create-time",
              "encrypted",
              "fast-restored",
              "multi-attach-enabled",
              "operator.managed",
              "operator.principal",
              "size",
              "snapshot-id",
              "status",
              "volume-id",
              "volume-type");

  private static final Filters<VolumeStatusItem> STATUS_FILTERS =
      new Filters<VolumeStatusItem>()
          .none(
              "action.code",
              "action.description",
              "action.event-id",
              "availability-zone",
              "event.description",
              "event.event-id",
              "event.event-type",
              "event.not-after",
              "event.not-before",
              "volume-status.details-name",
              "volume-status.details-status",
              "volume-status.status");

  private Volumes() {}

  public static DescribeVolumesResponse describe(DescribeVolumesRequest request) {
    Pages<Volume> page =
        page(
            FILTERS,
            Volume::volumeId,
            request.filters(),
            request.volumeIds(),
            request.nextToken(),
            request.maxResults());
    Refuse.ifDryRun(request.dryRun());
    return DescribeVolumesResponse.builder()
        .volumes(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  public static DescribeVolumeStatusResponse statuses(DescribeVolumeStatusRequest request) {
    Pages<VolumeStatusItem> page =
        page(
            STATUS_FILTERS,
            VolumeStatusItem::volumeId,
            request.filters(),
            request.volumeIds(),
            request.nextToken(),
            request.maxResults());
    Refuse.ifDryRun(request.dryRun());
    return DescribeVolumeStatusResponse.builder()
        .volumeStatuses(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  /** Of no volume there is an attribute. */
  public static DescribeVolumeAttributeResponse attribute(DescribeVolumeAttributeRequest request) {
    String id = Refuse.required(request.volumeId(), "volumeId");
    if (Refuse.required(request.attribute(), "attribute")
        == VolumeAttributeName.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.unknownAttribute(request.attributeAsString());
    }
    noneOf(List.of(id));
    throw missing(id);
  }

  private static <T> Pages<T> page(
      Filters<T> questions,
      Function<T, String> id,
      List<Filter> filters,
      List<String> ids,
      @Nullable String token,
      @Nullable Integer maxResults) {
    Pages<T> page = Pages.of(questions.select(List.of(), filters), id, ids, token, maxResults);
    noneOf(ids);
    return page;
  }

  private static void noneOf(List<String> ids) {
    for (String id : ids) {
      if (!ID.matcher(id).matches()) {
        throw Refuse.invalidValue(id, "volumes", "Expected: 'vol-...'.");
      }
    }
    if (!ids.isEmpty()) {
      throw missing(ids.getFirst());
    }
  }

  private static RuntimeException missing(String id) {
    return Refuse.because("InvalidVolume.NotFound", "The volume '" + id + "' does not exist.");
  }
}
