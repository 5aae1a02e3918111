package dev.muelle.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.sts.StsClient;
import software.amazon.awssdk.services.sts.model.GetCallerIdentityRequest;
import software.amazon.awssdk.services.sts.model.GetCallerIdentityResponse;

class CoverageTest {

  private static final class OneOperation implements StsClient {
    @Override
    public GetCallerIdentityResponse getCallerIdentity(GetCallerIdentityRequest request) {
      return GetCallerIdentityResponse.builder().build();
    }

    @Override
    public String serviceName() {
      return "sts";
    }

    @Override
    public void close() {}
  }

  @Test
  void countsWhatIsOverridden() {
    Coverage coverage = Coverage.of(StsClient.class, OneOperation.class);
    assertEquals("sts", coverage.service());
    assertEquals(1, coverage.built());
    assertTrue(coverage.operations().contains(new Coverage.Operation("GetCallerIdentity", true)));
    assertTrue(coverage.operations().contains(new Coverage.Operation("AssumeRole", false)));
    String page = Coverage.markdown(List.of(coverage));
    assertTrue(page.contains("| [`sts`](#sts) | 1 | " + coverage.operations().size() + " |"), page);
    assertTrue(page.contains("| AssumeRole | no |"), page);
  }
}
