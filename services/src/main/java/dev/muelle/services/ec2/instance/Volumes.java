package dev.muelle.services.ec2.instance;

import dev.muelle.services.ec2.state.Filters;
import dev.muelle.services.ec2.state.Pages;
import dev.muelle.services.ec2.state.Refuse;
import java.util.List;
import java.util.regex.Pattern;
import software.amazon.awssdk.services.ec2.model.DescribeVolumesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeVolumesResponse;
import software.amazon.awssdk.services.ec2.model.Volume;

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

  private Volumes() {}

  public static DescribeVolumesResponse describe(DescribeVolumesRequest request) {
    for (String id : request.volumeIds()) {
      if (!ID.matcher(id).matches()) {
        throw Refuse.invalidValue(id, "volumes", "Expected: 'vol-...'.");
      }
    }
    Pages<Volume> page =
        Pages.of(
            FILTERS.select(List.of(), request.filters()),
            Volume::volumeId,
            request.volumeIds(),
            request.nextToken(),
            request.maxResults());
    if (!request.volumeIds().isEmpty()) {
      throw Refuse.because(
          "InvalidVolume.NotFound",
          "The volume '" + request.volumeIds().getFirst() + "' does not exist.");
    }
    Refuse.ifDryRun(request.dryRun());
    return DescribeVolumesResponse.builder()
        .volumes(page.items())
        .nextToken(page.nextToken())
        .build();
  }
}
