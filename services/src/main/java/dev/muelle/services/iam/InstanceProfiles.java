package dev.muelle.services.iam;

import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.StoredJson;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.iam.model.AddRoleToInstanceProfileRequest;
import software.amazon.awssdk.services.iam.model.AddRoleToInstanceProfileResponse;
import software.amazon.awssdk.services.iam.model.CreateInstanceProfileRequest;
import software.amazon.awssdk.services.iam.model.CreateInstanceProfileResponse;
import software.amazon.awssdk.services.iam.model.DeleteConflictException;
import software.amazon.awssdk.services.iam.model.DeleteInstanceProfileRequest;
import software.amazon.awssdk.services.iam.model.DeleteInstanceProfileResponse;
import software.amazon.awssdk.services.iam.model.EntityAlreadyExistsException;
import software.amazon.awssdk.services.iam.model.GetInstanceProfileRequest;
import software.amazon.awssdk.services.iam.model.GetInstanceProfileResponse;
import software.amazon.awssdk.services.iam.model.InstanceProfile;
import software.amazon.awssdk.services.iam.model.LimitExceededException;
import software.amazon.awssdk.services.iam.model.ListInstanceProfilesForRoleRequest;
import software.amazon.awssdk.services.iam.model.ListInstanceProfilesForRoleResponse;
import software.amazon.awssdk.services.iam.model.ListInstanceProfilesRequest;
import software.amazon.awssdk.services.iam.model.ListInstanceProfilesResponse;
import software.amazon.awssdk.services.iam.model.NoSuchEntityException;
import software.amazon.awssdk.services.iam.model.RemoveRoleFromInstanceProfileRequest;
import software.amazon.awssdk.services.iam.model.RemoveRoleFromInstanceProfileResponse;
import software.amazon.awssdk.services.iam.model.Role;

/**
 * Instance profiles: what gives an EC2 instance its role.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2_instance-profiles.html">Use
 *     instance profiles</a>
 */
final class InstanceProfiles {

  /** Every learner lab account has it, with its LabRole. */
  private static final String LAB = "LabInstanceProfile";

  /**
   * A profile as stored.
   *
   * @param role the name of the one that it holds; null if it holds none
   */
  record Profile(InstanceProfile profile, @Nullable String role) {
    String key() {
      return InstanceProfiles.key(profile.instanceProfileName());
    }
  }

  private static final Table<Profile> TABLE =
      Table.of("iam.instance_profiles", StoredJson.codec(Profile.class));

  private final Scope scope;
  private final Store store;
  private final InstantSource clock;
  private final Ids ids;

  InstanceProfiles(Scope scope, Store store, InstantSource clock, Ids ids) {
    this.scope = scope;
    this.store = store;
    this.clock = clock;
    this.ids = ids;
  }

  private static String key(String name) {
    return name.toLowerCase(Locale.ROOT);
  }

  /** The profile that a learner lab account is born with; who deletes it has none. */
  void ensureLab(String role) {
    if (store.read(tx -> tx.get(Roles.BORN, LAB)).isPresent()) {
      return;
    }
    Profile lab = new Profile(profile(LAB, "/"), role);
    store.write(tx -> {
      boolean born = tx.get(Roles.BORN, LAB).isEmpty();
      if (born) {
        tx.insert(Roles.BORN, LAB, new Roles.Born(clock.millis()));
        if (tx.get(TABLE, lab.key()).isEmpty() && Roles.exists(tx, role)) {
          tx.insert(TABLE, lab.key(), lab);
        }
      }
      return born;
    });
  }

  private InstanceProfile profile(String name, String path) {
    return InstanceProfile.builder()
        .instanceProfileName(name)
        .instanceProfileId("AIPA" + ids.hex(18).substring(0, 17).toUpperCase(Locale.ROOT))
        .path(path)
        .arn(scope.globalArn("iam", "instance-profile" + path + name))
        .createDate(clock.instant().truncatedTo(ChronoUnit.SECONDS))
        .build();
  }

  CreateInstanceProfileResponse create(CreateInstanceProfileRequest request) {
    String name = name(request.instanceProfileName());
    String path = Roles.path(request.path());
    if (!request.tags().isEmpty()) {
      throw Roles.invalid("The parameter Tags is not supported by this region yet.");
    }
    Profile made = new Profile(profile(name, path), null);
    store.write(tx -> {
      if (tx.get(TABLE, made.key()).isPresent()) {
        throw EntityAlreadyExistsException.builder()
            .message("Instance Profile " + name + " already exists.")
            .build();
      }
      return tx.insert(TABLE, made.key(), made);
    });
    return CreateInstanceProfileResponse.builder().instanceProfile(shown(made)).build();
  }

  GetInstanceProfileResponse get(GetInstanceProfileRequest request) {
    Profile found = store.read(tx -> require(tx, request.instanceProfileName()));
    return GetInstanceProfileResponse.builder().instanceProfile(shown(found)).build();
  }

  ListInstanceProfilesResponse list(ListInstanceProfilesRequest request) {
    String prefix = Roles.pathPrefix(request.pathPrefix());
    List<Profile> all =
        store.read(tx -> tx.list(TABLE)).stream()
            .map(Row::value)
            .filter(profile -> profile.profile().path().startsWith(prefix))
            .toList();
    Page<Profile> page = Page.of(all, Profile::key, request.marker(), request.maxItems());
    return ListInstanceProfilesResponse.builder()
        .instanceProfiles(page.items().stream().map(this::shown).toList())
        .isTruncated(page.marker() != null)
        .marker(page.marker())
        .build();
  }

  ListInstanceProfilesForRoleResponse list(ListInstanceProfilesForRoleRequest request) {
    List<Profile> all =
        store.read(tx -> {
          Role role = Roles.require(tx, request.roleName()).role();
          return of(tx, role.roleName());
        });
    Page<Profile> page = Page.of(all, Profile::key, request.marker(), request.maxItems());
    return ListInstanceProfilesForRoleResponse.builder()
        .instanceProfiles(page.items().stream().map(this::shown).toList())
        .isTruncated(page.marker() != null)
        .marker(page.marker())
        .build();
  }

  private static List<Profile> of(Tx tx, String role) {
    return tx.list(TABLE).stream()
        .map(Row::value)
        .filter(profile -> role.equals(profile.role()))
        .toList();
  }

  /** Refuses while some profile holds this role. */
  static void mustNotHold(Tx tx, String role) {
    if (!of(tx, role).isEmpty()) {
      throw DeleteConflictException.builder()
          .message("Cannot delete entity, must remove roles from instance profile first.")
          .build();
    }
  }

  AddRoleToInstanceProfileResponse add(AddRoleToInstanceProfileRequest request) {
    change(
        request.instanceProfileName(),
        (tx, profile) -> {
          Role role = Roles.require(tx, request.roleName()).role();
          if (profile.role() != null) {
            throw LimitExceededException.builder()
                .message("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
                .build();
          }
          return new Profile(profile.profile(), role.roleName());
        });
    return AddRoleToInstanceProfileResponse.builder().build();
  }

  RemoveRoleFromInstanceProfileResponse remove(RemoveRoleFromInstanceProfileRequest request) {
    change(
        request.instanceProfileName(),
        (tx, profile) -> {
          Role role = Roles.require(tx, request.roleName()).role();
          if (!role.roleName().equals(profile.role())) {
            throw noSuch(
                "Role "
                    + role.roleName()
                    + " in Instance Profile "
                    + profile.profile().instanceProfileName()
                    + " cannot be found.");
          }
          return new Profile(profile.profile(), null);
        });
    return RemoveRoleFromInstanceProfileResponse.builder().build();
  }

  DeleteInstanceProfileResponse delete(DeleteInstanceProfileRequest request) {
    store.write(tx -> {
      Profile profile = require(tx, request.instanceProfileName());
      if (profile.role() != null) {
        throw DeleteConflictException.builder()
            .message("Cannot delete entity, must remove roles from instance profile first.")
            .build();
      }
      return tx.delete(TABLE, profile.key());
    });
    return DeleteInstanceProfileResponse.builder().build();
  }

  private interface Change {
    Profile of(Tx tx, Profile profile);
  }

  private void change(@Nullable String name, Change change) {
    store.write(tx -> {
      Profile profile = require(tx, name);
      return tx.put(TABLE, profile.key(), change.of(tx, profile));
    });
  }

  private static Profile require(Tx tx, @Nullable String name) {
    String wanted = name(name);
    return tx.get(TABLE, key(wanted))
        .map(Row::value)
        .orElseThrow(() -> noSuch("Instance Profile " + wanted + " cannot be found."));
  }

  private static NoSuchEntityException noSuch(String message) {
    return NoSuchEntityException.builder().message(message).build();
  }

  private static String name(@Nullable String name) {
    if (name == null || !name.matches("[\\w+=,.@-]{1,128}")) {
      throw Roles.invalid(
          "The specified value for instanceProfileName is invalid. It must contain only"
              + " alphanumeric characters and/or the following: +=,.@_-");
    }
    return name;
  }

  private InstanceProfile shown(Profile profile) {
    String name = profile.role();
    Optional<Role> role = name == null ? Optional.empty() : store.read(tx -> Roles.find(tx, name));
    return profile.profile().toBuilder().roles(role.stream().toList()).build();
  }
}
