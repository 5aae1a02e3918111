package dev.muelle.services.ssm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.services.Scope;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.ssm.model.GetParametersByPathResponse;
import software.amazon.awssdk.services.ssm.model.GetParametersResponse;
import software.amazon.awssdk.services.ssm.model.InvalidNextTokenException;
import software.amazon.awssdk.services.ssm.model.Parameter;
import software.amazon.awssdk.services.ssm.model.ParameterNotFoundException;
import software.amazon.awssdk.services.ssm.model.ParameterVersionNotFoundException;
import software.amazon.awssdk.services.ssm.model.SsmException;

/**
 * The public parameters of the ECS-optimized image; that instances start by them:
 * LaunchTemplatesTest.
 */
class SsmTest {

  private static final String LINUX = "/aws/service/ecs/optimized-ami/amazon-linux-2023";

  private final Ssm ssm = new Ssm(new Scope("123456789012", "eu-west-1"));

  /** On a machine with another processor the image stands one step lower. */
  private final String images =
      System.getProperty("os.arch", "").equals("aarch64") ? LINUX + "/arm64" : LINUX;

  @Test
  void theRecommendedImageIsNamedWholeAndInParts() {
    Parameter id = ssm.getParameter(r -> r.name(images + "/recommended/image_id")).parameter();
    assertTrue(id.value().matches("ami-0[0-9a-f]{16}"), id.value());
    assertEquals("aws:ec2:image", id.dataType());
    assertEquals("String", id.typeAsString());
    assertEquals("arn:aws:ssm:eu-west-1::parameter" + id.name(), id.arn());
    Parameter whole = ssm.getParameter(r -> r.name(images + "/recommended")).parameter();
    assertTrue(whole.value().contains("\"image_id\":\"" + id.value() + "\""), whole.value());
    assertTrue(whole.value().endsWith(",\"schema_version\":1}"), whole.value());
    assertEquals(id, ssm.getParameter(r -> r.name(id.arn())).parameter());
    assertEquals(":1", ssm.getParameter(r -> r.name(id.name() + ":1")).parameter().selector());
    assertThrows(
        ParameterVersionNotFoundException.class,
        () -> ssm.getParameter(r -> r.name(id.name() + ":2")));
    assertThrows(ParameterNotFoundException.class, () -> ssm.getParameter(r -> r.name("/mine")));
    assertThrows(SsmException.class, () -> ssm.getParameter(r -> {}));
  }

  @Test
  void ofSeveralThoseThatAreThere() {
    String name = images + "/recommended/os";
    GetParametersResponse answer = ssm.getParameters(r -> r.names(name, "/mine", name + ":7"));
    assertEquals(List.of(name), answer.parameters().stream().map(Parameter::name).toList());
    assertEquals(List.of("/mine", name + ":7"), answer.invalidParameters());
    SsmException many =
        assertThrows(
            SsmException.class,
            () -> ssm.getParameters(r -> r.names(Collections.nCopies(11, "a"))));
    assertEquals("ValidationException", many.awsErrorDetails().errorCode());
  }

  @Test
  void aPathHasPages() {
    List<Parameter> versions = ssm.getParametersByPath(r -> r.path(images)).parameters();
    assertEquals(2, versions.size(), "the recommended one, and by its name");
    assertEquals(images + "/recommended", versions.getLast().name());
    GetParametersByPathResponse first =
        ssm.getParametersByPath(r -> r.path(LINUX + "/").recursive(true));
    assertEquals(10, first.parameters().size());
    GetParametersByPathResponse rest =
        ssm.getParametersByPath(
            r -> r.path(LINUX + "/").recursive(true).nextToken(first.nextToken()));
    assertEquals(6, rest.parameters().size());
    assertNull(rest.nextToken());
    assertThrows(
        InvalidNextTokenException.class,
        () -> ssm.getParametersByPath(r -> r.path("/").nextToken("x")));
    assertThrows(SsmException.class, () -> ssm.getParametersByPath(r -> r.path("aws")));
    assertThrows(
        SsmException.class, () -> ssm.getParametersByPath(r -> r.path("/").maxResults(11)));
    assertEquals(List.of(), ssm.getParametersByPath(r -> r.path("/mine")).parameters());
  }
}
