package dev.muelle.services.ec2.instance;

import dev.muelle.services.ec2.image.InstanceTypes;
import dev.muelle.services.ec2.state.Filters;
import dev.muelle.services.ec2.state.InstanceRecord;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Pages;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.store.Store;
import java.util.List;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.CreditSpecificationRequest;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceCreditSpecificationsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceCreditSpecificationsResponse;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.InstanceCreditSpecification;

/**
 * How long instances of burstable types (T2, T3) may use their CPUs whole. Nothing here slows one
 * down to its baseline, so that all of them are {@code unlimited}: T2 as in an account whose
 * default for it was changed from {@code standard}.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-performance-instances-unlimited-mode-concepts.html">Unlimited
 *     mode</a>
 */
public final class CpuCredits {

  private static final String UNLIMITED = "unlimited";
  private static final String STANDARD = "standard";
  private static final int MOST_IDS = 1000;

  private static final Filters<InstanceCreditSpecification> FILTERS =
      new Filters<InstanceCreditSpecification>()
          .by("instance-id", InstanceCreditSpecification::instanceId);

  private final Store store;

  public CpuCredits(Store store) {
    this.store = store;
  }

  /** Refuses what a launch asks of a type that has none of it, or that would not be so here. */
  static void atLaunch(@Nullable CreditSpecificationRequest asked, InstanceTypes.Type type) {
    String credits = asked == null ? null : asked.cpuCredits();
    if (credits == null) {
      return;
    }
    if (!credits.equals(UNLIMITED) && !credits.equals(STANDARD)) {
      throw Refuse.invalidValue("Invalid value '" + credits + "' for CpuCredits.");
    }
    if (!type.burstable()) {
      throw notSupported("The " + type.name() + " instance type does not support T2 Unlimited.");
    }
    if (credits.equals(STANDARD)) {
      throw Refuse.unsupported(
          "The value standard of the parameter CreditSpecification is not supported by this region"
              + " yet.");
    }
  }

  private static Ec2Exception notSupported(String message) {
    return Refuse.because("InstanceCreditSpecification.NotSupported", message);
  }

  private static boolean burstable(InstanceRecord record) {
    return InstanceTypes.find(record.instance().instanceTypeAsString())
        .filter(InstanceTypes.Type::burstable)
        .isPresent();
  }

  /** Of the instances that are named, all of which must have one; or of all that do. */
  public DescribeInstanceCreditSpecificationsResponse describe(
      DescribeInstanceCreditSpecificationsRequest request) {
    List<String> ids = request.instanceIds();
    if (ids.size() > MOST_IDS) {
      throw Refuse.invalidValue("At most " + MOST_IDS + " instance IDs may be specified.");
    }
    ids.forEach(InstanceRecord::wellFormed);
    List<InstanceRecord> records = store.read(tx -> Kind.INSTANCE.list(tx, ids));
    if (!ids.isEmpty()) {
      for (InstanceRecord record : records) {
        if (!burstable(record)) {
          throw notSupported(
              "The instance '" + record.id() + "' is not of a burstable performance type.");
        }
      }
    }
    List<InstanceCreditSpecification> all =
        records.stream()
            .filter(CpuCredits::burstable)
            .map(record ->
                InstanceCreditSpecification.builder()
                    .instanceId(record.id())
                    .cpuCredits(UNLIMITED)
                    .build())
            .toList();
    Pages<InstanceCreditSpecification> page =
        Pages.of(
            FILTERS.select(all, request.filters()),
            InstanceCreditSpecification::instanceId,
            ids,
            request.nextToken(),
            request.maxResults());
    Refuse.ifDryRun(request.dryRun());
    return DescribeInstanceCreditSpecificationsResponse.builder()
        .instanceCreditSpecifications(page.items())
        .nextToken(page.nextToken())
        .build();
  }
}
