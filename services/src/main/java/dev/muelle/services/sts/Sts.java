package dev.muelle.services.sts;

import dev.muelle.wire.Caller;
import software.amazon.awssdk.services.sts.StsClient;
import software.amazon.awssdk.services.sts.model.GetCallerIdentityRequest;
import software.amazon.awssdk.services.sts.model.GetCallerIdentityResponse;

/**
 * The <a href="https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html">Security Token
 * Service</a>. Holds nothing: who calls is known from the request's signature.
 */
public final class Sts implements StsClient {

  /** Anybody may ask who they are; AWS needs no permission for it either. */
  @Override
  public GetCallerIdentityResponse getCallerIdentity(GetCallerIdentityRequest request) {
    Caller caller = Caller.current();
    return GetCallerIdentityResponse.builder()
        .account(caller.account())
        .arn(caller.arn())
        .userId(caller.userId())
        .build();
  }

  @Override
  public String serviceName() {
    return SERVICE_NAME;
  }

  @Override
  public void close() {}
}
