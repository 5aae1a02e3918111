package dev.muelle.services.ec2.instance;

import dev.muelle.services.Ids;
import dev.muelle.services.ec2.state.Filters;
import dev.muelle.services.ec2.state.InstanceRecord;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Pages;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.AssociateIamInstanceProfileRequest;
import software.amazon.awssdk.services.ec2.model.AssociateIamInstanceProfileResponse;
import software.amazon.awssdk.services.ec2.model.DescribeIamInstanceProfileAssociationsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeIamInstanceProfileAssociationsResponse;
import software.amazon.awssdk.services.ec2.model.DisassociateIamInstanceProfileRequest;
import software.amazon.awssdk.services.ec2.model.DisassociateIamInstanceProfileResponse;
import software.amazon.awssdk.services.ec2.model.IamInstanceProfile;
import software.amazon.awssdk.services.ec2.model.IamInstanceProfileAssociation;
import software.amazon.awssdk.services.ec2.model.IamInstanceProfileAssociationState;
import software.amazon.awssdk.services.ec2.model.IamInstanceProfileSpecification;
import software.amazon.awssdk.services.ec2.model.InstanceStateName;
import software.amazon.awssdk.services.ec2.model.ReplaceIamInstanceProfileAssociationRequest;
import software.amazon.awssdk.services.ec2.model.ReplaceIamInstanceProfileAssociationResponse;
import software.amazon.awssdk.services.iam.IamClient;
import software.amazon.awssdk.services.iam.model.InstanceProfile;
import software.amazon.awssdk.services.iam.model.NoSuchEntityException;

/**
 * The profiles of instances, through which they have a role: its keys are in the instance's
 * metadata at once.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateIamInstanceProfile.html">AssociateIamInstanceProfile</a>
 */
public final class Profiles {

  private static final Set<InstanceStateName> WITHOUT =
      Set.of(InstanceStateName.SHUTTING_DOWN, InstanceStateName.TERMINATED);
  private static final Filters<IamInstanceProfileAssociation> FILTERS =
      new Filters<IamInstanceProfileAssociation>()
          .by("instance-id", IamInstanceProfileAssociation::instanceId)
          .by("state", IamInstanceProfileAssociation::stateAsString);

  private final Store store;
  private final Ids ids;
  private final IamClient iam;

  public Profiles(Store store, Ids ids, IamClient iam) {
    this.store = store;
    this.ids = ids;
    this.iam = iam;
  }

  /** The profile that a request means; null if it means none. */
  static @Nullable IamInstanceProfile find(
      IamClient iam, @Nullable IamInstanceProfileSpecification asked) {
    if (asked == null || (asked.name() == null && asked.arn() == null)) {
      return null;
    }
    String name =
        asked.name() != null
            ? asked.name()
            : asked.arn().substring(asked.arn().lastIndexOf('/') + 1);
    InstanceProfile found;
    try {
      found = iam.getInstanceProfile(r -> r.instanceProfileName(name)).instanceProfile();
    } catch (NoSuchEntityException e) {
      found = null;
    }
    if (found == null || (asked.arn() != null && !asked.arn().equals(found.arn()))) {
      throw asked.name() != null
          ? Refuse.invalidValue(
              name, "iamInstanceProfile.name", "Invalid IAM Instance Profile name")
          : Refuse.invalidValue(
              asked.arn(), "iamInstanceProfile.arn", "Invalid IAM Instance Profile ARN");
    }
    return IamInstanceProfile.builder().arn(found.arn()).id(found.instanceProfileId()).build();
  }

  public AssociateIamInstanceProfileResponse associate(AssociateIamInstanceProfileRequest request) {
    String instance = Refuse.required(request.instanceId(), "instanceId");
    InstanceRecord.wellFormed(instance);
    IamInstanceProfile profile = required(request.iamInstanceProfile());
    IamInstanceProfileAssociation made =
        store.write(tx -> {
          InstanceRecord before = Kind.INSTANCE.get(tx, instance);
          if (WITHOUT.contains(before.state())) {
            throw Refuse.because(
                "IncorrectInstanceState",
                "The instance '" + instance + "' is not in the 'running' or 'stopped' state.");
          }
          if (before.instance().iamInstanceProfile() != null) {
            throw Refuse.because(
                "IncorrectState", "There is an existing association for instance " + instance);
          }
          return give(tx, before, profile);
        });
    return AssociateIamInstanceProfileResponse.builder()
        .iamInstanceProfileAssociation(made)
        .build();
  }

  private IamInstanceProfile required(@Nullable IamInstanceProfileSpecification asked) {
    return Refuse.required(find(iam, asked), "IamInstanceProfile");
  }

  private IamInstanceProfileAssociation give(
      Tx tx, InstanceRecord before, IamInstanceProfile profile) {
    InstanceRecord after = before.associated(profile, ids.ec2("iip-assoc"));
    tx.put(Tables.INSTANCES, after.id(), after);
    return shown(after, IamInstanceProfileAssociationState.ASSOCIATING);
  }

  public ReplaceIamInstanceProfileAssociationResponse replace(
      ReplaceIamInstanceProfileAssociationRequest request) {
    String id = Refuse.required(request.associationId(), "associationId");
    IamInstanceProfile profile = required(request.iamInstanceProfile());
    IamInstanceProfileAssociation made = store.write(tx -> give(tx, associated(tx, id), profile));
    return ReplaceIamInstanceProfileAssociationResponse.builder()
        .iamInstanceProfileAssociation(made)
        .build();
  }

  public DisassociateIamInstanceProfileResponse disassociate(
      DisassociateIamInstanceProfileRequest request) {
    String id = Refuse.required(request.associationId(), "associationId");
    IamInstanceProfileAssociation gone =
        store.write(tx -> {
          InstanceRecord before = associated(tx, id);
          tx.put(Tables.INSTANCES, before.id(), before.associated(null, null));
          return shown(before, IamInstanceProfileAssociationState.DISASSOCIATING);
        });
    return DisassociateIamInstanceProfileResponse.builder()
        .iamInstanceProfileAssociation(gone)
        .build();
  }

  private static InstanceRecord associated(Tx tx, String association) {
    return all(tx).stream()
        .filter(record -> record.associationId().equals(association))
        .findFirst()
        .orElseThrow(() -> unknown(association));
  }

  private static RuntimeException unknown(String association) {
    return Refuse.because(
        "InvalidAssociationID.NotFound",
        "An invalid association-id of '" + association + "' was given");
  }

  /** Those that have a profile. */
  private static List<InstanceRecord> all(Tx tx) {
    return tx.list(Tables.INSTANCES).stream()
        .map(Row::value)
        .filter(record -> !WITHOUT.contains(record.state()))
        .filter(record -> record.instance().iamInstanceProfile() != null)
        .sorted(Comparator.comparing(InstanceRecord::associationId))
        .toList();
  }

  private static IamInstanceProfileAssociation shown(
      InstanceRecord record, IamInstanceProfileAssociationState state) {
    return IamInstanceProfileAssociation.builder()
        .associationId(record.associationId())
        .instanceId(record.id())
        .iamInstanceProfile(record.instance().iamInstanceProfile())
        .state(state)
        .build();
  }

  public DescribeIamInstanceProfileAssociationsResponse describe(
      DescribeIamInstanceProfileAssociationsRequest request) {
    List<IamInstanceProfileAssociation> all =
        store.read(Profiles::all).stream()
            .map(record -> shown(record, IamInstanceProfileAssociationState.ASSOCIATED))
            .toList();
    for (String id : request.associationIds()) {
      if (all.stream().noneMatch(one -> one.associationId().equals(id))) {
        throw unknown(id);
      }
    }
    List<IamInstanceProfileAssociation> asked =
        all.stream()
            .filter(one ->
                request.associationIds().isEmpty()
                    || request.associationIds().contains(one.associationId()))
            .toList();
    Pages<IamInstanceProfileAssociation> page =
        Pages.of(
            FILTERS.select(asked, request.filters()),
            IamInstanceProfileAssociation::associationId,
            request.associationIds(),
            request.nextToken(),
            request.maxResults());
    return DescribeIamInstanceProfileAssociationsResponse.builder()
        .iamInstanceProfileAssociations(page.items())
        .nextToken(page.nextToken())
        .build();
  }
}
