package dev.muelle.services.ssm;

import dev.muelle.services.Scope;
import software.amazon.awssdk.services.ssm.SsmClient;
import software.amazon.awssdk.services.ssm.model.GetParameterRequest;
import software.amazon.awssdk.services.ssm.model.GetParameterResponse;
import software.amazon.awssdk.services.ssm.model.GetParametersByPathRequest;
import software.amazon.awssdk.services.ssm.model.GetParametersByPathResponse;
import software.amazon.awssdk.services.ssm.model.GetParametersRequest;
import software.amazon.awssdk.services.ssm.model.GetParametersResponse;

/**
 * <a href="https://docs.aws.amazon.com/systems-manager/latest/APIReference/Welcome.html">Systems
 * Manager</a>, as far as it tells public parameters; nobody has parameters of their own here.
 */
public final class Ssm implements SsmClient {

  private final PublicParameters parameters;

  public Ssm(Scope scope) {
    parameters = new PublicParameters(scope);
  }

  @Override
  public GetParameterResponse getParameter(GetParameterRequest request) {
    return parameters.get(request);
  }

  @Override
  public GetParametersResponse getParameters(GetParametersRequest request) {
    return parameters.get(request);
  }

  @Override
  public GetParametersByPathResponse getParametersByPath(GetParametersByPathRequest request) {
    return parameters.get(request);
  }

  @Override
  public String serviceName() {
    return SERVICE_NAME;
  }

  @Override
  public void close() {}
}
