package dev.muelle.services.ec2.metadata;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.services.Scope;
import dev.muelle.services.SessionKeys;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import software.amazon.awssdk.services.ec2.model.IamInstanceProfile;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.iam.IamClient;
import software.amazon.awssdk.services.iam.model.InstanceProfile;
import software.amazon.awssdk.services.iam.model.NoSuchEntityException;
import software.amazon.awssdk.services.iam.model.Role;

/**
 * The keys that an instance speaks with for its role.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html">Retrieve
 *     security credentials</a>
 */
final class InstanceCredentials {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Scope scope;
  private final InstantSource clock;
  private final IamClient iam;
  private final SessionKeys sessions;

  InstanceCredentials(Scope scope, InstantSource clock, IamClient iam, SessionKeys sessions) {
    this.scope = scope;
    this.clock = clock;
    this.iam = iam;
    this.sessions = sessions;
  }

  /** The role that an instance's profile holds now. */
  Optional<Role> role(Instance instance) {
    IamInstanceProfile profile = instance.iamInstanceProfile();
    if (profile == null) {
      return Optional.empty();
    }
    String name = profile.arn().substring(profile.arn().lastIndexOf('/') + 1);
    try {
      InstanceProfile present =
          iam.getInstanceProfile(r -> r.instanceProfileName(name)).instanceProfile();
      return present.roles().stream()
          .filter(
              role -> present.instanceProfileId().equals(profile.id())) // not another of its name
          .findFirst();
    } catch (NoSuchEntityException e) {
      return Optional.empty();
    }
  }

  private String holder(String instanceId) {
    return scope.storeScope() + "/" + instanceId;
  }

  String keys(Instance instance, Role role) {
    String id = instance.instanceId();
    SessionKeys.Session session =
        sessions.of(
            holder(id),
            scope.account(),
            scope.globalArn("sts", "assumed-role/" + role.roleName() + "/" + id),
            role.roleId() + ":" + id);
    ObjectNode keys = JSON.createObjectNode();
    keys.put("Code", "Success");
    keys.put("LastUpdated", session.issued().toString());
    keys.put("Type", "AWS-HMAC");
    keys.put("AccessKeyId", session.accessKeyId());
    keys.put("SecretAccessKey", session.secretAccessKey());
    keys.put("Token", session.token());
    keys.put("Expiration", session.expires().toString());
    return keys.toPrettyString();
  }

  String info(IamInstanceProfile profile) {
    ObjectNode info = JSON.createObjectNode();
    info.put("Code", "Success");
    info.put("LastUpdated", clock.instant().truncatedTo(ChronoUnit.SECONDS).toString());
    info.put("InstanceProfileArn", profile.arn());
    info.put("InstanceProfileId", profile.id());
    return info.toPrettyString();
  }

  /** An instance has ended. */
  void forget(String instanceId) {
    sessions.forget(holder(instanceId));
  }
}
