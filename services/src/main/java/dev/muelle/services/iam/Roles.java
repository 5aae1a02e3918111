package dev.muelle.services.iam;

import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.services.iam.model.AttachRolePolicyRequest;
import software.amazon.awssdk.services.iam.model.AttachRolePolicyResponse;
import software.amazon.awssdk.services.iam.model.AttachedPolicy;
import software.amazon.awssdk.services.iam.model.CreateRoleRequest;
import software.amazon.awssdk.services.iam.model.CreateRoleResponse;
import software.amazon.awssdk.services.iam.model.DeleteConflictException;
import software.amazon.awssdk.services.iam.model.DeleteRolePolicyRequest;
import software.amazon.awssdk.services.iam.model.DeleteRolePolicyResponse;
import software.amazon.awssdk.services.iam.model.DeleteRoleRequest;
import software.amazon.awssdk.services.iam.model.DeleteRoleResponse;
import software.amazon.awssdk.services.iam.model.DetachRolePolicyRequest;
import software.amazon.awssdk.services.iam.model.DetachRolePolicyResponse;
import software.amazon.awssdk.services.iam.model.EntityAlreadyExistsException;
import software.amazon.awssdk.services.iam.model.GetRolePolicyRequest;
import software.amazon.awssdk.services.iam.model.GetRolePolicyResponse;
import software.amazon.awssdk.services.iam.model.GetRoleRequest;
import software.amazon.awssdk.services.iam.model.GetRoleResponse;
import software.amazon.awssdk.services.iam.model.IamException;
import software.amazon.awssdk.services.iam.model.ListAttachedRolePoliciesRequest;
import software.amazon.awssdk.services.iam.model.ListAttachedRolePoliciesResponse;
import software.amazon.awssdk.services.iam.model.ListRolePoliciesRequest;
import software.amazon.awssdk.services.iam.model.ListRolePoliciesResponse;
import software.amazon.awssdk.services.iam.model.ListRoleTagsRequest;
import software.amazon.awssdk.services.iam.model.ListRoleTagsResponse;
import software.amazon.awssdk.services.iam.model.ListRolesRequest;
import software.amazon.awssdk.services.iam.model.ListRolesResponse;
import software.amazon.awssdk.services.iam.model.NoSuchEntityException;
import software.amazon.awssdk.services.iam.model.PutRolePolicyRequest;
import software.amazon.awssdk.services.iam.model.PutRolePolicyResponse;
import software.amazon.awssdk.services.iam.model.Role;
import software.amazon.awssdk.services.iam.model.Tag;
import software.amazon.awssdk.services.iam.model.TagRoleRequest;
import software.amazon.awssdk.services.iam.model.TagRoleResponse;
import software.amazon.awssdk.services.iam.model.UntagRoleRequest;
import software.amazon.awssdk.services.iam.model.UntagRoleResponse;
import software.amazon.awssdk.services.iam.model.UpdateAssumeRolePolicyRequest;
import software.amazon.awssdk.services.iam.model.UpdateAssumeRolePolicyResponse;

/**
 * Roles: who may assume them, and the policies that they have.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html">CreateRole</a>
 */
final class Roles {

  /** Every learner lab account has it. */
  private static final String LAB_ROLE = "LabRole";

  private static final String LAB_TRUST =
      "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":"
          + "[\"ecs-tasks.amazonaws.com\",\"ecs.amazonaws.com\",\"ec2.amazonaws.com\"]},"
          + "\"Action\":\"sts:AssumeRole\"}]}";

  private static final Pattern NAME = Pattern.compile("[\\w+=,.@-]{1,64}");
  private static final Pattern PATH = Pattern.compile("/|/[\\x21-\\x7e]{1,510}/");
  private static final Pattern MANAGED =
      Pattern.compile("arn:aws:iam::aws:policy/([\\w+=,.@-]+/)*([\\w+=,.@-]+)");

  /** The AWS-managed policies that container labs name. */
  private static final Set<String> AWS_MANAGED =
      Set.of(
          "AdministratorAccess",
          "PowerUserAccess",
          "ReadOnlyAccess",
          "AmazonECSTaskExecutionRolePolicy",
          "AmazonECS_FullAccess",
          "AmazonEC2ContainerServiceforEC2Role",
          "AmazonEC2ContainerServiceRole",
          "AmazonEC2ContainerRegistryReadOnly",
          "AmazonEC2ContainerRegistryPowerUser",
          "AmazonEC2ContainerRegistryFullAccess",
          "AmazonSSMManagedInstanceCore",
          "AmazonS3FullAccess",
          "AmazonS3ReadOnlyAccess",
          "AmazonDynamoDBFullAccess",
          "CloudWatchLogsFullAccess",
          "CloudWatchFullAccess");

  private static final int MAX_ATTACHED = 10;
  private static final int MAX_TAGS = 50;
  private static final int MAX_TRUST = 2_048;
  private static final int MAX_INLINE = 10_240;

  private final Scope scope;
  private final Store store;
  private final InstantSource clock;
  private final Ids ids;

  Roles(Scope scope, Store store, InstantSource clock, Ids ids) {
    this.scope = scope;
    this.store = store;
    this.clock = clock;
    this.ids = ids;
  }

  /** The role that a learner lab account is born with. */
  void ensureLabRole() {
    if (store.read(tx -> tx.get(RoleRecord.TABLE, key(LAB_ROLE))).isEmpty()) {
      store.write(tx ->
          tx.put(
              RoleRecord.TABLE,
              key(LAB_ROLE),
              new RoleRecord(
                  role(LAB_ROLE, "/", LAB_TRUST).build(),
                  List.of("arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"),
                  Map.of())));
    }
  }

  private Role.Builder role(String name, String path, String trust) {
    return Role.builder()
        .roleName(name)
        .roleId("AROA" + ids.hex(18).substring(0, 17).toUpperCase(Locale.ROOT))
        .path(path)
        .arn(scope.globalArn("iam", "role" + path + name))
        .assumeRolePolicyDocument(trust)
        .createDate(clock.instant().truncatedTo(ChronoUnit.SECONDS))
        .maxSessionDuration(3600);
  }

  CreateRoleResponse create(CreateRoleRequest request) {
    String name = name(request.roleName());
    String path = request.path() == null ? "/" : request.path();
    if (!PATH.matcher(path).matches()) {
      throw invalid(
          "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.");
    }
    if (request.permissionsBoundary() != null) {
      throw invalid("The parameter PermissionsBoundary is not supported by this region yet.");
    }
    String trust = request.assumeRolePolicyDocument();
    PolicyDocuments.checkTrust(trust);
    checkLength(trust, MAX_TRUST);
    checkTags(request.tags());
    int session = request.maxSessionDuration() == null ? 3600 : request.maxSessionDuration();
    if (session < 3600 || session > 43_200) {
      throw invalid(
          "1 validation error detected: Value '"
              + session
              + "' at 'maxSessionDuration' failed to satisfy constraint: Member must be between 3600 and 43200");
    }
    RoleRecord made =
        new RoleRecord(
            role(name, path, trust)
                .description(request.description())
                .maxSessionDuration(session)
                .tags(request.tags())
                .build(),
            List.of(),
            Map.of());
    store.write(tx -> {
      if (tx.get(RoleRecord.TABLE, key(name)).isPresent()) {
        throw EntityAlreadyExistsException.builder()
            .message("Role with name " + name + " already exists.")
            .build();
      }
      return tx.insert(RoleRecord.TABLE, key(name), made);
    });
    return CreateRoleResponse.builder().role(shown(made)).build();
  }

  GetRoleResponse get(GetRoleRequest request) {
    return GetRoleResponse.builder().role(shown(find(request.roleName()))).build();
  }

  ListRolesResponse list(ListRolesRequest request) {
    String prefix = request.pathPrefix() == null ? "/" : request.pathPrefix();
    int size = request.maxItems() == null ? 100 : request.maxItems();
    List<Role> roles =
        store.read(tx -> tx.list(RoleRecord.TABLE)).stream()
            .map(row -> shown(row.value()))
            .filter(role -> role.path().startsWith(prefix))
            .filter(role ->
                request.marker() == null || key(role.roleName()).compareTo(request.marker()) > 0)
            // As IAM does, lists leave tags and descriptions of the last use out.
            .map(role -> role.toBuilder().tags(List.of()).build())
            .toList();
    boolean more = roles.size() > size;
    List<Role> page = more ? roles.subList(0, size) : roles;
    return ListRolesResponse.builder()
        .roles(page)
        .isTruncated(more)
        .marker(more ? key(page.getLast().roleName()) : null)
        .build();
  }

  DeleteRoleResponse delete(DeleteRoleRequest request) {
    store.write(tx -> {
      RoleRecord role = require(tx, request.roleName());
      if (!role.attached().isEmpty()) {
        throw DeleteConflictException.builder()
            .message("Cannot delete entity, must detach all policies first.")
            .build();
      }
      if (!role.inline().isEmpty()) {
        throw DeleteConflictException.builder()
            .message("Cannot delete entity, must delete policies first.")
            .build();
      }
      return tx.delete(RoleRecord.TABLE, key(role.role().roleName()));
    });
    return DeleteRoleResponse.builder().build();
  }

  UpdateAssumeRolePolicyResponse trust(UpdateAssumeRolePolicyRequest request) {
    PolicyDocuments.checkTrust(request.policyDocument());
    checkLength(request.policyDocument(), MAX_TRUST);
    change(
        request.roleName(),
        role -> role.with(r -> r.assumeRolePolicyDocument(request.policyDocument())));
    return UpdateAssumeRolePolicyResponse.builder().build();
  }

  AttachRolePolicyResponse attach(AttachRolePolicyRequest request) {
    String arn = managed(request.policyArn());
    change(
        request.roleName(),
        role -> {
          if (role.attached().contains(arn)) {
            return role;
          }
          if (role.attached().size() >= MAX_ATTACHED) {
            throw software.amazon.awssdk.services.iam.model.LimitExceededException.builder()
                .message("Cannot exceed quota for PoliciesPerRole: " + MAX_ATTACHED)
                .build();
          }
          List<String> attached = new ArrayList<>(role.attached());
          attached.add(arn);
          return role.withAttached(attached);
        });
    return AttachRolePolicyResponse.builder().build();
  }

  DetachRolePolicyResponse detach(DetachRolePolicyRequest request) {
    change(
        request.roleName(),
        role -> {
          List<String> attached = new ArrayList<>(role.attached());
          if (!attached.remove(request.policyArn())) {
            throw noSuch("Policy " + request.policyArn() + " was not found.");
          }
          return role.withAttached(attached);
        });
    return DetachRolePolicyResponse.builder().build();
  }

  ListAttachedRolePoliciesResponse attached(ListAttachedRolePoliciesRequest request) {
    List<AttachedPolicy> policies =
        find(request.roleName()).attached().stream()
            .map(arn ->
                AttachedPolicy.builder()
                    .policyArn(arn)
                    .policyName(arn.substring(arn.lastIndexOf('/') + 1))
                    .build())
            .toList();
    return ListAttachedRolePoliciesResponse.builder()
        .attachedPolicies(policies)
        .isTruncated(false)
        .build();
  }

  PutRolePolicyResponse put(PutRolePolicyRequest request) {
    String policy = request.policyName() == null ? "" : request.policyName();
    if (!policy.matches("[\\w+=,.@-]{1,128}")) {
      throw invalid(
          "The specified value for policyName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-");
    }
    PolicyDocuments.checkPermissions(request.policyDocument());
    checkLength(request.policyDocument(), MAX_INLINE);
    change(
        request.roleName(),
        role -> {
          Map<String, String> inline = new LinkedHashMap<>(role.inline());
          inline.put(policy, request.policyDocument());
          return role.withInline(inline);
        });
    return PutRolePolicyResponse.builder().build();
  }

  GetRolePolicyResponse policy(GetRolePolicyRequest request) {
    String document = find(request.roleName()).inline().get(request.policyName());
    if (document == null) {
      throw noSuch("The role policy with name " + request.policyName() + " cannot be found.");
    }
    return GetRolePolicyResponse.builder()
        .roleName(request.roleName())
        .policyName(request.policyName())
        .policyDocument(PolicyDocuments.encoded(document))
        .build();
  }

  DeleteRolePolicyResponse delete(DeleteRolePolicyRequest request) {
    change(
        request.roleName(),
        role -> {
          Map<String, String> inline = new LinkedHashMap<>(role.inline());
          if (inline.remove(request.policyName()) == null) {
            throw noSuch("The role policy with name " + request.policyName() + " cannot be found.");
          }
          return role.withInline(inline);
        });
    return DeleteRolePolicyResponse.builder().build();
  }

  ListRolePoliciesResponse policies(ListRolePoliciesRequest request) {
    return ListRolePoliciesResponse.builder()
        .policyNames(find(request.roleName()).inline().keySet().stream().sorted().toList())
        .isTruncated(false)
        .build();
  }

  TagRoleResponse tag(TagRoleRequest request) {
    change(
        request.roleName(),
        role -> {
          Map<String, Tag> tags = new LinkedHashMap<>();
          role.role().tags().forEach(tag -> tags.put(tag.key(), tag));
          request.tags().forEach(tag -> tags.put(tag.key(), tag));
          checkTags(List.copyOf(tags.values()));
          return role.with(r -> r.tags(tags.values()));
        });
    return TagRoleResponse.builder().build();
  }

  UntagRoleResponse untag(UntagRoleRequest request) {
    change(
        request.roleName(),
        role ->
            role.with(r ->
                r.tags(
                    role.role().tags().stream()
                        .filter(tag -> !request.tagKeys().contains(tag.key()))
                        .toList())));
    return UntagRoleResponse.builder().build();
  }

  ListRoleTagsResponse tags(ListRoleTagsRequest request) {
    return ListRoleTagsResponse.builder()
        .tags(find(request.roleName()).role().tags())
        .isTruncated(false)
        .build();
  }

  private void change(@Nullable String name, UnaryOperator<RoleRecord> change) {
    store.write(tx -> {
      RoleRecord role = require(tx, name);
      return tx.put(RoleRecord.TABLE, key(role.role().roleName()), change.apply(role));
    });
  }

  private RoleRecord find(@Nullable String name) {
    return store.read(tx -> require(tx, name));
  }

  private static RoleRecord require(Tx tx, @Nullable String name) {
    String checked = name(name);
    return tx.get(RoleRecord.TABLE, key(checked))
        .map(Row::value)
        .orElseThrow(() -> noSuch("The role with name " + checked + " cannot be found."));
  }

  private static Role shown(RoleRecord record) {
    return record.role().toBuilder()
        .assumeRolePolicyDocument(PolicyDocuments.encoded(record.role().assumeRolePolicyDocument()))
        .build();
  }

  private static String managed(@Nullable String arn) {
    var matcher = MANAGED.matcher(arn == null ? "" : arn);
    if (!matcher.matches() || !AWS_MANAGED.contains(matcher.group(2))) {
      throw noSuch("Policy " + arn + " does not exist or is not attachable.");
    }
    return matcher.group();
  }

  private static String key(String name) {
    return name.toLowerCase(Locale.ROOT);
  }

  private static String name(@Nullable String name) {
    if (name == null) {
      throw invalid(
          "1 validation error detected: Value null at 'roleName' failed to satisfy constraint: Member must not be null");
    }
    if (!NAME.matcher(name).matches()) {
      throw invalid(
          "The specified value for roleName is invalid. It must contain only alphanumeric"
              + " characters and/or the following: +=,.@_-");
    }
    return name;
  }

  private static void checkLength(String document, int most) {
    if (document.replaceAll("\\s", "").length() > most) {
      throw software.amazon.awssdk.services.iam.model.LimitExceededException.builder()
          .message("Maximum policy size of " + most + " bytes exceeded")
          .build();
    }
  }

  private static void checkTags(List<Tag> tags) {
    if (tags.size() > MAX_TAGS) {
      throw software.amazon.awssdk.services.iam.model.LimitExceededException.builder()
          .message("The number of tags has reached the maximum limit.")
          .build();
    }
    for (Tag tag : tags) {
      if (tag.key() == null || tag.key().isEmpty() || tag.key().length() > 128) {
        throw invalid("Tag keys must be between 1 and 128 characters in length.");
      }
    }
  }

  private static NoSuchEntityException noSuch(String message) {
    return NoSuchEntityException.builder().message(message).build();
  }

  private static IamException invalid(String message) {
    return (IamException)
        IamException.builder()
            .message(message)
            .statusCode(400)
            .awsErrorDetails(
                AwsErrorDetails.builder()
                    .errorCode("ValidationError")
                    .errorMessage(message)
                    .build())
            .build();
  }
}
