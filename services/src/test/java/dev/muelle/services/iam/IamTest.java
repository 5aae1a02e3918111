package dev.muelle.services.iam;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.store.SqliteStore;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.iam.model.AttachedPolicy;
import software.amazon.awssdk.services.iam.model.DeleteConflictException;
import software.amazon.awssdk.services.iam.model.EntityAlreadyExistsException;
import software.amazon.awssdk.services.iam.model.IamException;
import software.amazon.awssdk.services.iam.model.InvalidInputException;
import software.amazon.awssdk.services.iam.model.LimitExceededException;
import software.amazon.awssdk.services.iam.model.ListRolesResponse;
import software.amazon.awssdk.services.iam.model.MalformedPolicyDocumentException;
import software.amazon.awssdk.services.iam.model.NoSuchEntityException;
import software.amazon.awssdk.services.iam.model.Role;
import software.amazon.awssdk.services.iam.model.Tag;

/** Roles and their policies. */
class IamTest {

  private static final Scope SCOPE = new Scope("000000000000", "us-east-1");
  private static final Instant NOW = Instant.parse("2026-11-21T08:00:00.500Z");
  private static final String EXECUTION =
      "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy";
  private static final String READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess";

  private static final String TRUST =
      """
      {"Version":"2012-10-17","Statement":[{"Effect":"Allow",
       "Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}\
      """;

  private static final String PERMISSIONS =
      """
      {"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}\
      """;

  @TempDir private Path directory;
  private SqliteStore store;
  private Iam iam;

  @BeforeEach
  void open() {
    store = SqliteStore.open(directory.resolve("db"));
    iam = serve();
  }

  @AfterEach
  void close() {
    store.close();
  }

  private Iam serve() {
    return new Iam(SCOPE, store.in("000000000000/global"), () -> NOW, new Ids(new SecureRandom()));
  }

  private void restart() {
    iam.close();
    store.close();
    open();
  }

  private Role create(String name) {
    return iam.createRole(r -> r.roleName(name).assumeRolePolicyDocument(TRUST)).role();
  }

  private static <E extends IamException> void refused(
      Class<E> type, String message, Executable attempt) {
    assertEquals(message, assertThrows(type, attempt).getMessage());
  }

  private static void invalid(String part, Executable attempt) {
    IamException thrown = assertThrows(IamException.class, attempt);
    assertEquals("ValidationError", thrown.awsErrorDetails().errorCode());
    assertTrue(thrown.getMessage().contains(part), thrown.getMessage());
  }

  private static Tag tag(String key, String value) {
    return Tag.builder().key(key).value(value).build();
  }

  private static String decoded(String document) {
    return URLDecoder.decode(document, StandardCharsets.UTF_8);
  }

  @Test
  void aRoleAsItIsMade() {
    Role made =
        iam.createRole(r ->
                r.roleName("Task_Role+=,.@-")
                    .path("/team/alba/")
                    .description("digi ñ")
                    .maxSessionDuration(7200)
                    .assumeRolePolicyDocument(TRUST)
                    .tags(tag("a", "1"), tag("b", "")))
            .role();
    assertEquals("arn:aws:iam::000000000000:role/team/alba/Task_Role+=,.@-", made.arn());
    assertTrue(made.roleId().matches("AROA[A-Z0-9]{17}"), made.roleId());
    assertEquals(Instant.parse("2026-11-21T08:00:00Z"), made.createDate());
    assertEquals(7200, made.maxSessionDuration());
    assertEquals("digi ñ", made.description());
    assertEquals(TRUST, decoded(made.assumeRolePolicyDocument()));
    assertFalse(made.assumeRolePolicyDocument().contains("+"), "blanks are %20");
    assertEquals(made, iam.getRole(r -> r.roleName("Task_Role+=,.@-")).role());
    restart();
    assertEquals(made, iam.getRole(r -> r.roleName("Task_Role+=,.@-")).role());
  }

  @Test
  void namesDifferByMoreThanTheirCase() {
    create("TaskRole");
    refused(
        EntityAlreadyExistsException.class,
        "Role with name TaskRole already exists.",
        () -> create("TaskRole"));
    assertThrows(EntityAlreadyExistsException.class, () -> create("taskrole"));
  }

  @Test
  void whatARoleCannotBe() {
    for (String name : List.of("", "a b", "a/b", "ñ", "x".repeat(65))) {
      invalid("roleName", () -> create(name));
    }
    invalid("roleName", () -> create(null));
    invalid("assumeRolePolicyDocument", () -> iam.createRole(r -> r.roleName("a")));
    for (String path : List.of("", "a", "/a", "a/", "/a b/", "/" + "x".repeat(511) + "/")) {
      invalid(
          "path",
          () -> iam.createRole(r -> r.roleName("a").path(path).assumeRolePolicyDocument(TRUST)));
    }
    for (int seconds : List.of(0, 3599, 43_201)) {
      invalid(
          "maxSessionDuration",
          () ->
              iam.createRole(r ->
                  r.roleName("a").maxSessionDuration(seconds).assumeRolePolicyDocument(TRUST)));
    }
    invalid(
        "description",
        () ->
            iam.createRole(r ->
                r.roleName("a").description("x".repeat(1001)).assumeRolePolicyDocument(TRUST)));
    invalid(
        "PermissionsBoundary",
        () ->
            iam.createRole(r ->
                r.roleName("a").permissionsBoundary(READ_ONLY).assumeRolePolicyDocument(TRUST)));
    assertEquals(1, iam.listRoles().roles().size(), "nothing but LabRole");
  }

  @Test
  void whatIsNotThere() {
    String message = "The role with name none cannot be found.";
    List<Executable> attempts =
        List.of(
            () -> iam.getRole(r -> r.roleName("none")),
            () -> iam.deleteRole(r -> r.roleName("none")),
            () -> iam.updateAssumeRolePolicy(r -> r.roleName("none").policyDocument(TRUST)),
            () -> iam.attachRolePolicy(r -> r.roleName("none").policyArn(READ_ONLY)),
            () -> iam.detachRolePolicy(r -> r.roleName("none").policyArn(READ_ONLY)),
            () -> iam.listAttachedRolePolicies(r -> r.roleName("none")),
            () ->
                iam.putRolePolicy(
                    r -> r.roleName("none").policyName("p").policyDocument(PERMISSIONS)),
            () -> iam.getRolePolicy(r -> r.roleName("none").policyName("p")),
            () -> iam.deleteRolePolicy(r -> r.roleName("none").policyName("p")),
            () -> iam.listRolePolicies(r -> r.roleName("none")),
            () -> iam.tagRole(r -> r.roleName("none").tags(tag("a", "b"))),
            () -> iam.untagRole(r -> r.roleName("none").tagKeys("a")),
            () -> iam.listRoleTags(r -> r.roleName("none")));
    for (Executable attempt : attempts) {
      refused(NoSuchEntityException.class, message, attempt);
    }
    create("some");
    refused(
        NoSuchEntityException.class,
        "The role policy with name p cannot be found.",
        () -> iam.getRolePolicy(r -> r.roleName("some").policyName("p")));
    refused(
        NoSuchEntityException.class,
        "The role policy with name p cannot be found.",
        () -> iam.deleteRolePolicy(r -> r.roleName("some").policyName("p")));
    refused(
        NoSuchEntityException.class,
        "Policy " + READ_ONLY + " was not found.",
        () -> iam.detachRolePolicy(r -> r.roleName("some").policyArn(READ_ONLY)));
    String unknown = "arn:aws:iam::aws:policy/NoSuchPolicy";
    refused(
        NoSuchEntityException.class,
        "Policy " + unknown + " does not exist or is not attachable.",
        () -> iam.attachRolePolicy(r -> r.roleName("some").policyArn(unknown)));
  }

  @Test
  void labRoleIsThereFromTheStart() {
    Role lab = iam.getRole(r -> r.roleName("LabRole")).role();
    assertEquals("arn:aws:iam::000000000000:role/LabRole", lab.arn());
    assertTrue(decoded(lab.assumeRolePolicyDocument()).contains("ecs-tasks.amazonaws.com"));
    assertEquals(
        List.of("AmazonECSTaskExecutionRolePolicy"),
        iam.listAttachedRolePolicies(r -> r.roleName("LabRole")).attachedPolicies().stream()
            .map(AttachedPolicy::policyName)
            .toList());
    assertEquals(lab, serve().getRole(r -> r.roleName("LabRole")).role(), "another region's");
    restart();
    assertEquals(lab, iam.getRole(r -> r.roleName("LabRole")).role());
  }

  @Test
  void whoDeletesLabRoleHasNone() {
    iam.detachRolePolicy(r -> r.roleName("LabRole").policyArn(EXECUTION));
    assertThrows(DeleteConflictException.class, () -> iam.deleteRole(r -> r.roleName("LabRole")));
    iam.removeRoleFromInstanceProfile(
        r -> r.instanceProfileName("LabInstanceProfile").roleName("LabRole"));
    iam.deleteRole(r -> r.roleName("LabRole"));
    restart();
    assertThrows(NoSuchEntityException.class, () -> iam.getRole(r -> r.roleName("LabRole")));
  }

  @Test
  void aRoleWithPoliciesIsNotDeleted() {
    create("a");
    iam.attachRolePolicy(r -> r.roleName("a").policyArn(READ_ONLY));
    iam.putRolePolicy(r -> r.roleName("a").policyName("p").policyDocument(PERMISSIONS));
    refused(
        DeleteConflictException.class,
        "Cannot delete entity, must detach all policies first.",
        () -> iam.deleteRole(r -> r.roleName("a")));
    iam.detachRolePolicy(r -> r.roleName("a").policyArn(READ_ONLY));
    refused(
        DeleteConflictException.class,
        "Cannot delete entity, must delete policies first.",
        () -> iam.deleteRole(r -> r.roleName("a")));
    iam.deleteRolePolicy(r -> r.roleName("a").policyName("p"));
    iam.deleteRole(r -> r.roleName("a"));
    assertThrows(NoSuchEntityException.class, () -> iam.getRole(r -> r.roleName("a")));
    assertTrue(
        iam.listRolePolicies(r -> r.roleName(create("a").roleName())).policyNames().isEmpty());
  }

  @Test
  void attachedPolicies() {
    create("a");
    iam.attachRolePolicy(r -> r.roleName("a").policyArn(EXECUTION));
    iam.attachRolePolicy(r -> r.roleName("a").policyArn(READ_ONLY));
    iam.attachRolePolicy(r -> r.roleName("a").policyArn(READ_ONLY));
    assertEquals(List.of(READ_ONLY, EXECUTION), attached("/", null));
    assertEquals(List.of(READ_ONLY, EXECUTION), attached(null, 1));
    assertEquals(List.of(EXECUTION), attached("/service-role/", null));
    invalid("pathPrefix", () -> attached("service-role/", null));
    for (String name :
        List.of(
            "AdministratorAccess",
            "PowerUserAccess",
            "AmazonECS_FullAccess",
            "AmazonEC2ContainerRegistryReadOnly",
            "AmazonSSMManagedInstanceCore",
            "AmazonS3FullAccess",
            "AmazonS3ReadOnlyAccess",
            "CloudWatchLogsFullAccess")) {
      iam.attachRolePolicy(r -> r.roleName("a").policyArn("arn:aws:iam::aws:policy/" + name));
    }
    refused(
        LimitExceededException.class,
        "Cannot exceed quota for PoliciesPerRole: 10",
        () ->
            iam.attachRolePolicy(
                r -> r.roleName("a").policyArn("arn:aws:iam::aws:policy/CloudWatchFullAccess")));
  }

  private List<String> attached(String prefix, Integer size) {
    List<String> arns = new ArrayList<>();
    String marker = null;
    do {
      String from = marker;
      var page =
          iam.listAttachedRolePolicies(
              r -> r.roleName("a").pathPrefix(prefix).maxItems(size).marker(from));
      page.attachedPolicies().forEach(policy -> arns.add(policy.policyArn()));
      marker = page.marker();
      assertEquals(marker != null, page.isTruncated());
    } while (marker != null);
    return arns;
  }

  @Test
  void inlinePolicies() {
    create("a");
    for (String name : List.of("b", "a+=,.@-_", "c")) {
      iam.putRolePolicy(r -> r.roleName("a").policyName(name).policyDocument(PERMISSIONS));
    }
    var first = iam.listRolePolicies(r -> r.roleName("a").maxItems(2));
    assertEquals(List.of("a+=,.@-_", "b"), first.policyNames());
    assertTrue(first.isTruncated());
    var rest = iam.listRolePolicies(r -> r.roleName("a").marker(first.marker()));
    assertEquals(List.of("c"), rest.policyNames());
    assertFalse(rest.isTruncated());
    String other = PERMISSIONS.replace("s3:*", "ecs:*");
    iam.putRolePolicy(r -> r.roleName("a").policyName("b").policyDocument(other));
    restart();
    var kept = iam.getRolePolicy(r -> r.roleName("a").policyName("b"));
    assertEquals(other, decoded(kept.policyDocument()));
    assertEquals("a", kept.roleName());
    for (String name : List.of("", "a b", "x".repeat(129))) {
      invalid(
          "policyName",
          () -> iam.putRolePolicy(r -> r.roleName("a").policyName(name).policyDocument(other)));
    }
    invalid("policyDocument", () -> iam.putRolePolicy(r -> r.roleName("a").policyName("x")));
    // The quota is of all policies together; blanks do not count.
    String half = PERMISSIONS.replace("s3:*", "s3:" + "x".repeat(5_000)) + " ".repeat(20_000);
    iam.putRolePolicy(r -> r.roleName("a").policyName("b").policyDocument(half));
    iam.putRolePolicy(r -> r.roleName("a").policyName("b").policyDocument(half));
    refused(
        LimitExceededException.class,
        "Maximum policy size of 10240 bytes exceeded for role a",
        () -> iam.putRolePolicy(r -> r.roleName("a").policyName("c").policyDocument(half)));
  }

  @Test
  void trustIsChecked() {
    create("a");
    String other = TRUST.replace("ecs-tasks", "ec2");
    iam.updateAssumeRolePolicy(r -> r.roleName("a").policyDocument(other));
    assertEquals(
        other, decoded(iam.getRole(r -> r.roleName("a")).role().assumeRolePolicyDocument()));
    trusted(
        "{'Service':['a.amazonaws.com','b.amazonaws.com']}", "['sts:AssumeRole','sts:TagSession']");
    trusted("'*'", "'sts:AssumeRole'");
    trusted("{'AWS':'*'}", "'STS:*'");
    trusted(
        "{'Federated':'arn:aws:iam::000000000000:oidc-provider/x'}",
        "'sts:AssumeRoleWithWebIdentity'");
    malformed("This policy contains invalid Json", "{");
    malformed("This policy contains invalid Json", TRUST + "}");
    malformed("This policy contains invalid Json", "{\"Version\":\"2012-10-17\",\"Version\":\"\"}");
    malformed("Syntax errors in policy.", "[]");
    malformed("Syntax errors in policy.", "{}");
    malformed("Syntax errors in policy.", "{\"Statement\":[]}");
    malformed("Syntax errors in policy.", "{\"Statement\":[1]}");
    malformed("Syntax errors in policy.", TRUST.replace("Allow", "allow"));
    malformed("Syntax errors in policy.", TRUST.replace("\"Action\"", "\"action\""));
    malformed("Syntax errors in policy.", TRUST.replace("\"sts:AssumeRole\"", "7"));
    malformed("The policy must contain a valid version string", TRUST.replace("2012", "2013"));
    malformed(
        "AssumeRole policy may only specify STS AssumeRole actions.",
        TRUST.replace("sts:AssumeRole", "s3:GetObject"));
    malformed(
        "Has prohibited field Resource",
        TRUST.replace("\"Action\"", "\"Resource\":\"*\",\"Action\""));
    malformed(
        "AssumeRolepolicy contained an invalid principal: missing required field Principal",
        PERMISSIONS);
    malformed(
        "Invalid principal in policy: \"Nobody\":\"ecs-tasks.amazonaws.com\"",
        TRUST.replace("\"Service\"", "\"Nobody\""));
    malformed("Invalid principal in policy: {}", TRUST.replaceAll("\\{\"Service[^}]*}", "{}"));
    malformed(
        "Statement IDs (SID) in a single policy must be unique.",
        "{\"Statement\":[{\"Sid\":\"a\",\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"sts:*\"},"
            + "{\"Sid\":\"a\",\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"sts:*\"}]}");
    refused(
        LimitExceededException.class,
        "Cannot exceed quota for ACLSizePerRole: 2048",
        () ->
            iam.updateAssumeRolePolicy(
                r -> r.roleName("a").policyDocument(TRUST.replace("ecs-tasks", "x".repeat(2048)))));
    invalid("policyDocument", () -> iam.updateAssumeRolePolicy(r -> r.roleName("a")));
    assertTrue(
        decoded(iam.getRole(r -> r.roleName("a")).role().assumeRolePolicyDocument())
            .contains("Federated"),
        "what was refused changed nothing");
  }

  private void trusted(String principal, String action) {
    String document =
        "{'Statement':{'Effect':'Allow','Principal':%s,'Action':%s}}"
            .formatted(principal, action)
            .replace('\'', '"');
    iam.updateAssumeRolePolicy(r -> r.roleName("a").policyDocument(document));
  }

  private void malformed(String message, String document) {
    refused(
        MalformedPolicyDocumentException.class,
        message,
        () -> iam.updateAssumeRolePolicy(r -> r.roleName("a").policyDocument(document)));
    refused(
        MalformedPolicyDocumentException.class,
        message,
        () -> iam.createRole(r -> r.roleName("new").assumeRolePolicyDocument(document)));
  }

  @Test
  void permissionsAreChecked() {
    create("a");
    String[][] wrong = {
      {"Policy document should not specify a principal.", TRUST},
      {"Policy statement must contain resources.", PERMISSIONS.replace(",\"Resource\":\"*\"", "")},
      {"Policy statement must contain actions.", PERMISSIONS.replace("\"Action\":\"s3:*\",", "")},
      {"Syntax errors in policy.", PERMISSIONS.replace("\"*\"", "[1]")},
      {"This policy contains invalid Json", "nonsense"},
    };
    for (String[] one : wrong) {
      refused(
          MalformedPolicyDocumentException.class,
          one[0],
          () -> iam.putRolePolicy(r -> r.roleName("a").policyName("p").policyDocument(one[1])));
    }
  }

  @Test
  void tags() {
    create("a");
    iam.tagRole(r -> r.roleName("a").tags(tag("Team", "alba"), tag("stage", "lab")));
    iam.tagRole(r -> r.roleName("a").tags(tag("team", "digi")));
    assertEquals(
        List.of(tag("stage", "lab"), tag("Team", "digi")),
        iam.listRoleTags(r -> r.roleName("a")).tags());
    var first = iam.listRoleTags(r -> r.roleName("a").maxItems(1));
    assertEquals(List.of(tag("stage", "lab")), first.tags());
    assertEquals(
        List.of(tag("Team", "digi")),
        iam.listRoleTags(r -> r.roleName("a").marker(first.marker())).tags());
    iam.untagRole(r -> r.roleName("a").tagKeys("TEAM", "none"));
    assertEquals(List.of(tag("stage", "lab")), iam.getRole(r -> r.roleName("a")).role().tags());
    assertTrue(iam.listRoles().roles().stream().noneMatch(Role::hasTags), "lists leave them out");
    refused(
        InvalidInputException.class,
        "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
        () -> iam.tagRole(r -> r.roleName("a").tags(tag("x", "1"), tag("X", "2"))));
    assertThrows(
        InvalidInputException.class,
        () -> iam.tagRole(r -> r.roleName("a").tags(tag("aws:x", ""))));
    for (Tag wrong :
        List.of(
            tag("", "v"),
            tag("k".repeat(129), "v"),
            tag("a*", "v"),
            tag("a", "v".repeat(257)),
            tag("a", "<"),
            Tag.builder().key("a").build(),
            Tag.builder().value("a").build())) {
      invalid("tags.1.member.", () -> iam.tagRole(r -> r.roleName("a").tags(wrong)));
    }
    List<Tag> fifty = IntStream.range(0, 50).mapToObj(i -> tag("k" + i, "v")).toList();
    refused(
        LimitExceededException.class,
        "The number of tags has reached the maximum limit.",
        () -> iam.tagRole(r -> r.roleName("a").tags(fifty)));
    List<Tag> more = new ArrayList<>(fifty);
    more.add(tag("one", "more"));
    invalid("50", () -> iam.tagRole(r -> r.roleName("a").tags(more)));
    assertEquals(1, iam.listRoleTags(r -> r.roleName("a")).tags().size());
  }

  @Test
  void rolesAreListedInPages() {
    List<String> names = new ArrayList<>(List.of("LabRole"));
    for (int i = 0; i < 7; i++) {
      String name = (i % 2 == 0 ? "role" : "Role") + i;
      String path = i < 3 ? "/a/" : "/";
      iam.createRole(r -> r.roleName(name).path(path).assumeRolePolicyDocument(TRUST));
      names.add(name);
    }
    for (Integer size : sizes(null, 1, 3, 8, 1000)) {
      assertEquals(names, listed(null, size));
    }
    assertEquals(names.subList(1, 4), listed("/a", 2));
    assertEquals(List.of(), listed("/none/", 2));
    for (int size : List.of(0, -1, 1001)) {
      invalid("maxItems", () -> listed(null, size));
    }
    invalid("Marker", () -> iam.listRoles(r -> r.marker("%%%")));
    invalid("pathPrefix", () -> listed("a", 2));
    // A role that goes between two pages takes no other with it.
    ListRolesResponse first = iam.listRoles(r -> r.maxItems(3));
    iam.deleteRole(r -> r.roleName(first.roles().get(2).roleName()));
    assertEquals(
        names.subList(3, 8),
        iam.listRoles(r -> r.marker(first.marker())).roles().stream().map(Role::roleName).toList());
  }

  private static List<Integer> sizes(Integer... sizes) {
    return Collections.unmodifiableList(java.util.Arrays.asList(sizes));
  }

  private List<String> listed(String prefix, Integer size) {
    List<String> names = new ArrayList<>();
    String marker = null;
    do {
      String from = marker;
      ListRolesResponse page = iam.listRoles(r -> r.pathPrefix(prefix).maxItems(size).marker(from));
      page.roles().forEach(role -> names.add(role.roleName()));
      marker = page.marker();
      assertEquals(marker != null, page.isTruncated());
    } while (marker != null);
    assertNull(marker);
    return names;
  }

  /** Two clients at once: nothing of either is lost, and a name is given once. */
  @Test
  void manyAtOnce() throws Exception {
    create("shared");
    List<Callable<Boolean>> work = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      int number = i;
      work.add(() -> {
        iam.tagRole(r -> r.roleName("shared").tags(tag("k" + number, "v")));
        return false;
      });
      work.add(() -> {
        iam.putRolePolicy(
            r -> r.roleName("shared").policyName("p" + number).policyDocument(PERMISSIONS));
        return false;
      });
      work.add(() -> {
        try {
          create("one");
          return true;
        } catch (EntityAlreadyExistsException e) {
          return false;
        }
      });
    }
    int made = 0;
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (Future<Boolean> done : threads.invokeAll(work)) {
        made += done.get() ? 1 : 0;
      }
    }
    assertEquals(1, made);
    assertEquals(40, iam.listRoleTags(r -> r.roleName("shared")).tags().size());
    assertEquals(40, iam.listRolePolicies(r -> r.roleName("shared")).policyNames().size());
    restart();
    assertEquals(40, iam.listRoleTags(r -> r.roleName("shared")).tags().size());
  }
}
