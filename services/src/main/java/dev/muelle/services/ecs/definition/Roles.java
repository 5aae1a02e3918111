package dev.muelle.services.ecs.definition;

import dev.muelle.services.Scope;
import dev.muelle.services.ecs.state.Refuse;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.iam.IamClient;
import software.amazon.awssdk.services.iam.model.NoSuchEntityException;

/** Roles that task definitions name: by ARN or by name, and they must exist. */
public final class Roles {

  private final Scope scope;
  private final IamClient iam;

  public Roles(Scope scope, IamClient iam) {
    this.scope = scope;
    this.iam = iam;
  }

  /** The ARN of a role; null if none is named. */
  public @Nullable String arn(@Nullable String reference) {
    if (reference == null || reference.isBlank()) {
      return null;
    }
    String prefix = scope.globalArn("iam", "role/");
    if (reference.startsWith("arn:") && !reference.startsWith(prefix)) {
      throw Refuse.client("Role is not valid");
    }
    String name = reference.substring(reference.lastIndexOf('/') + 1);
    try {
      return iam.getRole(request -> request.roleName(name)).role().arn();
    } catch (NoSuchEntityException e) {
      throw Refuse.client("Role is not valid");
    }
  }
}
