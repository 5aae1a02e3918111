package dev.muelle.services.ecs.capacity;

import dev.muelle.services.Ids;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import software.amazon.awssdk.services.ecs.model.Attachment;
import software.amazon.awssdk.services.ecs.model.CapacityProvider;
import software.amazon.awssdk.services.ecs.model.Cluster;
import software.amazon.awssdk.services.ecs.model.KeyValuePair;

/**
 * What DescribeClusters shows of a cluster's ties to Auto Scaling groups: for each provider a
 * scaling policy where it scales, and a life-cycle hook where it drains. They are wanted by
 * PutClusterCapacityProviders, and made or taken away afterwards.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Cluster.html">Cluster</a>
 */
public final class ClusterAttachments {

  static final String BUSY = "UPDATE_IN_PROGRESS";
  private static final String COMPLETE = "UPDATE_COMPLETE";
  private static final String FAILED = "UPDATE_FAILED";
  private static final String PROVIDER = "capacityProviderName";
  private static final String DELETING = "DELETING";

  private ClusterAttachments() {}

  public static boolean busy(Cluster cluster) {
    return BUSY.equals(cluster.attachmentsStatus());
  }

  /** The providers that have any, also those that are to have none any more. */
  public static Set<String> names(Cluster cluster) {
    Set<String> names = new HashSet<>();
    cluster.attachments().forEach(attachment -> names.add(provider(attachment)));
    return names;
  }

  private static String provider(Attachment attachment) {
    return attachment.details().stream()
        .filter(detail -> detail.name().equals(PROVIDER))
        .map(KeyValuePair::value)
        .findFirst()
        .orElse("");
  }

  /** The cluster with what these providers want; unchanged where there never was any. */
  static Cluster wanted(Cluster old, Cluster next, List<CapacityProvider> providers, Ids ids) {
    if (providers.isEmpty() && old.attachments().isEmpty()) {
      return next;
    }
    List<Attachment> all = new ArrayList<>();
    Set<String> kept = new HashSet<>();
    for (CapacityProvider provider : providers) {
      kept.add(provider.name());
      if (GroupRules.scales(provider)) {
        all.add(attachment(old, "as_policy", provider.name(), ids));
      }
      if (GroupRules.drains(provider)) {
        all.add(attachment(old, "managed_draining", provider.name(), ids));
      }
    }
    old.attachments().stream()
        .filter(attachment -> !kept.contains(provider(attachment)))
        .forEach(attachment -> all.add(attachment.toBuilder().status(DELETING).build()));
    return next.toBuilder().attachments(all).attachmentsStatus(BUSY).build();
  }

  /** The one that is there, or a new one. */
  private static Attachment attachment(Cluster old, String type, String provider, Ids ids) {
    return old.attachments().stream()
        .filter(there -> there.type().equals(type) && provider(there).equals(provider))
        .filter(there -> !DELETING.equals(there.status()))
        .findFirst()
        .orElseGet(() ->
            Attachment.builder()
                .id(ids.uuid())
                .type(type)
                .status("CREATING")
                .details(KeyValuePair.builder().name(PROVIDER).value(provider).build())
                .build());
  }

  /** After the groups are as they are wanted, but for those of some providers. */
  public static Cluster settled(Cluster cluster, Set<String> failed) {
    List<Attachment> left = new ArrayList<>();
    for (Attachment attachment : cluster.attachments()) {
      if (!DELETING.equals(attachment.status())) {
        boolean made = !failed.contains(provider(attachment));
        left.add(attachment.toBuilder().status(made ? "CREATED" : "FAILED").build());
      }
    }
    return cluster.toBuilder()
        .attachments(left)
        .attachmentsStatus(failed.isEmpty() ? COMPLETE : FAILED)
        .build();
  }
}
