package dev.muelle.services.ec2.template;

import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.StoredJson;
import dev.muelle.services.ec2.state.ClientToken;
import dev.muelle.services.ec2.state.Filters;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Pages;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.services.ec2.state.Tags;
import dev.muelle.store.Codec;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.CreateLaunchTemplateRequest;
import software.amazon.awssdk.services.ec2.model.CreateLaunchTemplateResponse;
import software.amazon.awssdk.services.ec2.model.DeleteLaunchTemplateRequest;
import software.amazon.awssdk.services.ec2.model.DeleteLaunchTemplateResponse;
import software.amazon.awssdk.services.ec2.model.DescribeLaunchTemplatesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeLaunchTemplatesResponse;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.LaunchTemplate;
import software.amazon.awssdk.services.ec2.model.ModifyLaunchTemplateRequest;
import software.amazon.awssdk.services.ec2.model.ModifyLaunchTemplateResponse;
import software.amazon.awssdk.services.ec2.model.Tag;

/**
 * Launch templates, each with its versions.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-launch-templates.html">Launch
 *     templates</a>
 */
public final class LaunchTemplates {

  /** A region's quota. */
  private static final int MOST = 5000;

  private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9().\\-/_]{3,128}");

  private static final Codec<CreateLaunchTemplateRequest> REQUEST =
      StoredJson.codec(CreateLaunchTemplateRequest.class);

  private static final Filters<LaunchTemplate> FILTERS =
      new Filters<>(LaunchTemplate::tags)
          .by("create-time", LaunchTemplate::createTime)
          .by("launch-template-name", LaunchTemplate::launchTemplateName);

  private final Scope scope;
  private final Store store;
  private final InstantSource clock;
  private final Ids ids;

  public LaunchTemplates(Scope scope, Store store, InstantSource clock, Ids ids) {
    this.scope = scope;
    this.store = store;
    this.clock = clock;
    this.ids = ids;
  }

  /** The template that a request means by its id or by its name. */
  static LaunchTemplate meant(Tx tx, @Nullable String id, @Nullable String name) {
    if ((id == null) == (name == null)) {
      throw id == null
          ? Refuse.missing("LaunchTemplateId or LaunchTemplateName")
          : Refuse.combination(
              "You may specify either the launch template ID or name, but not both");
    }
    return id != null
        ? Kind.TEMPLATE.get(tx, id)
        : named(tx, String.valueOf(name)).orElseThrow(() -> missing(String.valueOf(name)));
  }

  private static Optional<LaunchTemplate> named(Tx tx, String name) {
    return Tables.of(tx, Tables.TEMPLATES, "name", name).stream().findFirst();
  }

  private static Ec2Exception missing(String name) {
    return Refuse.because(
        "InvalidLaunchTemplateName.NotFoundException",
        "The specified launch template, with template name " + name + ", does not exist.");
  }

  public CreateLaunchTemplateResponse create(CreateLaunchTemplateRequest request) {
    Refuse.unlessEffective(
        request,
        Set.of(
            "LaunchTemplateName",
            "VersionDescription",
            "LaunchTemplateData",
            "TagSpecifications",
            "ClientToken",
            "DryRun"));
    String name = Refuse.required(request.launchTemplateName(), "LaunchTemplateName");
    if (!NAME.matcher(name).matches()) {
      throw Refuse.because(
          "InvalidLaunchTemplateName.MalformedException",
          "A launch template name must be between 3 and 128 characters, and may contain letters,"
              + " numbers, and the characters ( ) . - / _");
    }
    if (request.launchTemplateData() == null) {
      throw Refuse.missing("LaunchTemplateData");
    }
    List<Tag> tags = Tags.given("launch-template", request.tagSpecifications());
    String token = request.clientToken();
    String asked =
        ClientToken.fingerprint(REQUEST, request.toBuilder().clientToken("").dryRun(null).build());
    String fresh = ids.ec2("lt");
    LaunchTemplate made =
        store.write(tx -> {
          Optional<String> done = ClientToken.done(tx, token, asked);
          if (done.isPresent()) {
            return shown(tx, Kind.TEMPLATE.get(tx, done.get()));
          }
          if (named(tx, name).isPresent()) {
            throw Refuse.because(
                "InvalidLaunchTemplateName.AlreadyExistsException",
                "Launch template name already in use.");
          }
          if (tx.count(Tables.TEMPLATES) >= MOST) {
            throw Refuse.because(
                "LaunchTemplateLimitExceeded",
                "The maximum number of launch templates has been reached.");
          }
          LaunchTemplate template =
              LaunchTemplate.builder()
                  .launchTemplateId(fresh)
                  .launchTemplateName(name)
                  .createTime(clock.instant())
                  .createdBy("arn:aws:iam::" + scope.account() + ":root")
                  .defaultVersionNumber(1L)
                  .latestVersionNumber(0L)
                  .build();
          TemplateVersions.add(
              tx,
              template,
              TemplateData.of(request.launchTemplateData(), null),
              request.versionDescription(),
              clock.instant());
          Tags.put(tx, fresh, tags);
          ClientToken.put(tx, token, asked, fresh);
          Refuse.ifDryRun(request.dryRun());
          return shown(tx, Kind.TEMPLATE.get(tx, fresh));
        });
    return CreateLaunchTemplateResponse.builder().launchTemplate(made).build();
  }

  private static LaunchTemplate shown(Tx tx, LaunchTemplate template) {
    return template.toBuilder().tags(Tags.of(tx, template.launchTemplateId())).build();
  }

  /** Makes another version the default one. */
  public ModifyLaunchTemplateResponse modify(ModifyLaunchTemplateRequest request) {
    String wanted = Refuse.required(request.defaultVersion(), "SetDefaultVersion");
    LaunchTemplate changed =
        store.write(tx -> {
          LaunchTemplate template =
              meant(tx, request.launchTemplateId(), request.launchTemplateName());
          long version = TemplateVersions.find(tx, template, wanted).versionNumber();
          LaunchTemplate now = template.toBuilder().defaultVersionNumber(version).build();
          tx.put(Tables.TEMPLATES, now.launchTemplateId(), now);
          Refuse.ifDryRun(request.dryRun());
          return shown(tx, now);
        });
    return ModifyLaunchTemplateResponse.builder().launchTemplate(changed).build();
  }

  /** With all its versions; what was launched by it goes on. */
  public DeleteLaunchTemplateResponse delete(DeleteLaunchTemplateRequest request) {
    LaunchTemplate gone =
        store.write(tx -> {
          LaunchTemplate template =
              meant(tx, request.launchTemplateId(), request.launchTemplateName());
          LaunchTemplate last = shown(tx, template);
          TemplateVersions.forgetAll(tx, template);
          ClientToken.forget(tx, template.launchTemplateId());
          Tags.forget(tx, template.launchTemplateId());
          tx.delete(Tables.TEMPLATES, template.launchTemplateId());
          Refuse.ifDryRun(request.dryRun());
          return last;
        });
    return DeleteLaunchTemplateResponse.builder().launchTemplate(gone).build();
  }

  public DescribeLaunchTemplatesResponse describe(DescribeLaunchTemplatesRequest request) {
    Refuse.ifDryRun(request.dryRun());
    List<String> names = request.launchTemplateNames();
    List<LaunchTemplate> all =
        store.read(tx -> {
          for (String name : names) {
            if (named(tx, name).isEmpty()) {
              throw missing(name);
            }
          }
          return Kind.TEMPLATE.list(tx, request.launchTemplateIds()).stream()
              .filter(one -> names.isEmpty() || names.contains(one.launchTemplateName()))
              .map(one -> shown(tx, one))
              .toList();
        });
    Pages<LaunchTemplate> page =
        Pages.of(
            FILTERS.select(all, request.filters()),
            LaunchTemplate::launchTemplateId,
            request.launchTemplateIds(),
            request.nextToken(),
            request.maxResults(),
            new Pages.Sizes(1, 200));
    return DescribeLaunchTemplatesResponse.builder()
        .launchTemplates(page.items())
        .nextToken(page.nextToken())
        .build();
  }
}
