package dev.muelle.services.ecs;

import dev.muelle.services.Scope;
import java.util.Set;
import software.amazon.awssdk.services.iam.IamClient;
import software.amazon.awssdk.services.iam.model.GetRoleRequest;
import software.amazon.awssdk.services.iam.model.GetRoleResponse;
import software.amazon.awssdk.services.iam.model.NoSuchEntityException;

/** IAM with a few roles. */
final class FakeIam implements IamClient {

  private final Scope scope;
  private final Set<String> roles;

  FakeIam(Scope scope, String... roles) {
    this.scope = scope;
    this.roles = Set.of(roles);
  }

  @Override
  public GetRoleResponse getRole(GetRoleRequest request) {
    if (!roles.contains(request.roleName())) {
      throw NoSuchEntityException.builder()
          .message("The role with name " + request.roleName() + " cannot be found.")
          .build();
    }
    return GetRoleResponse.builder()
        .role(role ->
            role.roleName(request.roleName())
                .path("/")
                .arn(scope.globalArn("iam", "role/" + request.roleName())))
        .build();
  }

  @Override
  public String serviceName() {
    return SERVICE_NAME;
  }

  @Override
  public void close() {}
}
