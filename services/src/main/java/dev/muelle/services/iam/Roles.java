package dev.muelle.services.iam;

import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.StoredJson;
import dev.muelle.services.TagRules;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
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
import software.amazon.awssdk.services.iam.model.InvalidInputException;
import software.amazon.awssdk.services.iam.model.LimitExceededException;
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
  static final String LAB_ROLE = "LabRole";

  private static final String LAB_TRUST =
      "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":"
          + "[\"ecs-tasks.amazonaws.com\",\"ecs.amazonaws.com\",\"ec2.amazonaws.com\"]},"
          + "\"Action\":\"sts:AssumeRole\"}]}";

  private static final Pattern NAME = Pattern.compile("[\\w+=,.@-]{1,64}");
  private static final Pattern PATH = Pattern.compile("/|/[\\x21-\\x7e]{1,510}/");
  private static final Pattern PATH_PREFIX = Pattern.compile("/[\\x21-\\x7f]{0,511}");
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

  /**
   * What an account was given at its start.
   *
   * @param at epoch milliseconds
   */
  record Born(long at) {}

  static final Table<Born> BORN = Table.of("iam.born", StoredJson.codec(Born.class));

  private static final int MAX_ATTACHED = 10;
  private static final int MAX_TAGS = 50;
  private static final int MAX_TRUST = 2_048;
  private static final int MAX_INLINE = 10_240; // of all inline policies of a role
  private static final Pattern DESCRIPTION =
      Pattern.compile("[\\t\\n\\r\\x20-\\x7e\\u00a1-\\u00ff]{0,1000}");

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

  /** The role that a learner lab account is born with; who deletes it has none. */
  void ensureLabRole() {
    if (store.read(tx -> tx.get(BORN, LAB_ROLE)).isPresent()) {
      return;
    }
    RoleRecord lab =
        new RoleRecord(
            role(LAB_ROLE, "/", LAB_TRUST).build(),
            List.of("arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"),
            Map.of());
    store.write(tx -> {
      // Each region of the account comes by here, perhaps at the same time.
      boolean born = tx.get(BORN, LAB_ROLE).isEmpty();
      if (born) {
        tx.insert(BORN, LAB_ROLE, new Born(clock.millis()));
        if (tx.get(RoleRecord.TABLE, key(LAB_ROLE)).isEmpty()) {
          tx.insert(RoleRecord.TABLE, key(LAB_ROLE), lab);
        }
      }
      return born;
    });
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
    String path = path(request.path());
    if (request.permissionsBoundary() != null) {
      throw invalid("The parameter PermissionsBoundary is not supported by this region yet.");
    }
    String trust = request.assumeRolePolicyDocument();
    checkTrust(trust, "assumeRolePolicyDocument");
    if (request.description() != null && !DESCRIPTION.matcher(request.description()).matches()) {
      throw invalid(
          "1 validation error detected: Value at 'description' failed to satisfy constraint: Member"
              + " must have length less than or equal to 1000 and satisfy regular expression"
              + " pattern: [\\u0009\\u000A\\u000D\\u0020-\\u007E\\u00A1-\\u00FF]*");
    }
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
    String prefix = pathPrefix(request.pathPrefix());
    List<RoleRecord> roles =
        store.read(tx -> tx.list(RoleRecord.TABLE)).stream()
            .map(Row::value)
            .filter(role -> role.role().path().startsWith(prefix))
            .toList();
    Page<RoleRecord> page =
        Page.of(roles, role -> key(role.role().roleName()), request.marker(), request.maxItems());
    return ListRolesResponse.builder()
        // As IAM does, lists leave tags out.
        .roles(
            page.items().stream()
                .map(role -> shown(role).toBuilder().tags((Collection<Tag>) null).build())
                .toList())
        .isTruncated(page.marker() != null)
        .marker(page.marker())
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
      InstanceProfiles.mustNotHold(tx, role.role().roleName());
      return tx.delete(RoleRecord.TABLE, key(role.role().roleName()));
    });
    return DeleteRoleResponse.builder().build();
  }

  UpdateAssumeRolePolicyResponse trust(UpdateAssumeRolePolicyRequest request) {
    checkTrust(request.policyDocument(), "policyDocument");
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
            throw limit("Cannot exceed quota for PoliciesPerRole: " + MAX_ATTACHED);
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
    String prefix = pathPrefix(request.pathPrefix());
    List<String> arns =
        find(request.roleName()).attached().stream()
            .filter(arn -> arn.substring(arn.indexOf(":policy/") + 7).startsWith(prefix))
            .toList();
    Page<String> page = Page.of(arns, arn -> arn, request.marker(), request.maxItems());
    return ListAttachedRolePoliciesResponse.builder()
        .attachedPolicies(
            page.items().stream()
                .map(arn ->
                    AttachedPolicy.builder()
                        .policyArn(arn)
                        .policyName(arn.substring(arn.lastIndexOf('/') + 1))
                        .build())
                .toList())
        .isTruncated(page.marker() != null)
        .marker(page.marker())
        .build();
  }

  PutRolePolicyResponse put(PutRolePolicyRequest request) {
    String policy = request.policyName() == null ? "" : request.policyName();
    if (!policy.matches("[\\w+=,.@-]{1,128}")) {
      throw invalid(
          "The specified value for policyName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-");
    }
    present(request.policyDocument(), "policyDocument");
    PolicyDocuments.checkPermissions(request.policyDocument());
    change(
        request.roleName(),
        role -> {
          Map<String, String> inline = new LinkedHashMap<>(role.inline());
          inline.put(policy, request.policyDocument());
          if (inline.values().stream().mapToInt(PolicyDocuments::length).sum() > MAX_INLINE) {
            throw limit(
                "Maximum policy size of "
                    + MAX_INLINE
                    + " bytes exceeded for role "
                    + role.role().roleName());
          }
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
    Page<String> page =
        Page.of(
            List.copyOf(find(request.roleName()).inline().keySet()),
            name -> name,
            request.marker(),
            request.maxItems());
    return ListRolePoliciesResponse.builder()
        .policyNames(page.items())
        .isTruncated(page.marker() != null)
        .marker(page.marker())
        .build();
  }

  /** Keys are the same whatever their case, and keep the case that they came with first. */
  TagRoleResponse tag(TagRoleRequest request) {
    checkTags(request.tags());
    change(
        request.roleName(),
        role -> {
          Map<String, Tag> tags = new LinkedHashMap<>();
          role.role().tags().forEach(tag -> tags.put(key(tag.key()), tag));
          for (Tag tag : request.tags()) {
            tags.merge(
                key(tag.key()), tag, (old, now) -> old.toBuilder().value(now.value()).build());
          }
          if (tags.size() > MAX_TAGS) {
            throw limit("The number of tags has reached the maximum limit.");
          }
          return role.with(r -> r.tags(tags.values()));
        });
    return TagRoleResponse.builder().build();
  }

  UntagRoleResponse untag(UntagRoleRequest request) {
    List<String> keys = request.tagKeys().stream().map(Roles::key).toList();
    change(
        request.roleName(),
        role ->
            role.with(r ->
                r.tags(
                    role.role().tags().stream()
                        .filter(tag -> !keys.contains(key(tag.key())))
                        .toList())));
    return UntagRoleResponse.builder().build();
  }

  ListRoleTagsResponse tags(ListRoleTagsRequest request) {
    Page<Tag> page =
        Page.of(
            find(request.roleName()).role().tags(),
            tag -> key(tag.key()),
            request.marker(),
            request.maxItems());
    return ListRoleTagsResponse.builder()
        .tags(page.items())
        .isTruncated(page.marker() != null)
        .marker(page.marker())
        .build();
  }

  private void change(@Nullable String name, UnaryOperator<RoleRecord> change) {
    store.write(tx -> {
      RoleRecord role = require(tx, name);
      return tx.put(RoleRecord.TABLE, key(role.role().roleName()), change.apply(role));
    });
  }

  /** A path as an entity has it. */
  static String path(@Nullable String given) {
    String path = given == null ? "/" : given;
    if (!PATH.matcher(path).matches()) {
      throw invalid(
          "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.");
    }
    return path;
  }

  static boolean exists(Tx tx, String name) {
    return tx.get(RoleRecord.TABLE, key(name)).isPresent();
  }

  /** The role with this name as it is shown; empty if there is none. */
  static Optional<Role> find(Tx tx, String name) {
    return tx.get(RoleRecord.TABLE, key(name)).map(row -> shown(row.value()));
  }

  private RoleRecord find(@Nullable String name) {
    return store.read(tx -> require(tx, name));
  }

  static RoleRecord require(Tx tx, @Nullable String name) {
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

  private static void checkTrust(@Nullable String document, String member) {
    String trust = present(document, member);
    PolicyDocuments.checkTrust(trust);
    if (PolicyDocuments.length(trust) > MAX_TRUST) {
      throw limit("Cannot exceed quota for ACLSizePerRole: " + MAX_TRUST);
    }
  }

  private static String present(@Nullable String value, String member) {
    if (value == null) {
      throw invalid(
          "1 validation error detected: Value null at '"
              + member
              + "' failed to satisfy constraint: Member must not be null");
    }
    return value;
  }

  static String pathPrefix(@Nullable String prefix) {
    if (prefix != null && !PATH_PREFIX.matcher(prefix).matches()) {
      throw invalid(
          "1 validation error detected: Value '"
              + prefix
              + "' at 'pathPrefix' failed to satisfy constraint: Member must satisfy regular"
              + " expression pattern: \\u002F[\\u0021-\\u007F]*");
    }
    return prefix == null ? "/" : prefix;
  }

  private static void checkTags(List<Tag> tags) {
    if (tags.size() > MAX_TAGS) {
      throw invalid(
          "1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must"
              + " have length less than or equal to "
              + MAX_TAGS);
    }
    Set<String> keys = new HashSet<>();
    for (int i = 0; i < tags.size(); i++) {
      String member = "tags." + (i + 1) + ".member.";
      String key = present(tags.get(i).key(), member + "key");
      String value = present(tags.get(i).value(), member + "value");
      if (!TagRules.isKey(key)) {
        throw invalid(
            "1 validation error detected: Value at '"
                + member
                + "key' failed to satisfy constraint: Member must have length between 1 and 128"
                + " and satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+");
      }
      if (!TagRules.isValue(value)) {
        throw invalid(
            "1 validation error detected: Value at '"
                + member
                + "value' failed to satisfy constraint: Member must have length less than or equal"
                + " to 256 and satisfy regular expression pattern:"
                + " [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*");
      }
      if (TagRules.isReserved(key)) {
        throw input("System tags cannot be added/updated by requestor");
      }
      if (!keys.add(key(key))) {
        throw input("Duplicate tag keys found. Please note that Tag keys are case insensitive.");
      }
    }
  }

  private static LimitExceededException limit(String message) {
    return LimitExceededException.builder().message(message).build();
  }

  private static InvalidInputException input(String message) {
    return InvalidInputException.builder().message(message).build();
  }

  private static NoSuchEntityException noSuch(String message) {
    return NoSuchEntityException.builder().message(message).build();
  }

  static IamException invalid(String message) {
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
