package dev.muelle.services.sts;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.muelle.wire.Caller;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.sts.model.GetCallerIdentityRequest;
import software.amazon.awssdk.services.sts.model.GetCallerIdentityResponse;

class StsTest {

  @Test
  void tellsTheCallerWhoItIs() {
    Caller caller =
        new Caller(
            "123456789012", "eu-west-1", "arn:aws:iam::123456789012:user/a", "AIDA1", "AKIA1", "r");
    GetCallerIdentityResponse identity =
        ScopedValue.where(Caller.CURRENT, caller)
            .call(() -> new Sts().getCallerIdentity(GetCallerIdentityRequest.builder().build()));
    assertEquals(
        GetCallerIdentityResponse.builder()
            .account("123456789012")
            .arn("arn:aws:iam::123456789012:user/a")
            .userId("AIDA1")
            .build(),
        identity);
  }
}
