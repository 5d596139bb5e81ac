"""The fields of an inventory: the frozen records of each kind that the readers found."""

from __future__ import annotations

from dataclasses import dataclass, field

from auditlib.inventory import (
    alerting,
    clusters,
    code,
    configuration,
    dashboards,
    delivery,
    dockerfile,
    document,
    logs,
    merging,
    monitoring,
    proxy,
    schedules,
    stack,
    tasks,
    telemetry,
)
from auditlib.model import Coverage


@dataclass(frozen=True)
class Records:
    """What one repository is, and what was found in it; each field of records is typed by the record that it holds."""

    name: str
    root: str
    commit: str
    files: tuple[str, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    origin: str = ""
    """The repository's page on its web host, as `https://host/owner/name`; empty if it isn't known."""
    known_hosts: tuple[str, ...] = ()
    """Host names outside of the repository that its configuration says may be referred to."""

    projects: tuple[stack.Project, ...] = field(default=(), metadata={"of": stack.Project})
    services: tuple[stack.Service, ...] = field(default=(), metadata={"of": stack.Service})
    volumes: tuple[stack.Volume, ...] = field(default=(), metadata={"of": stack.Volume})
    networks: tuple[stack.Network, ...] = field(default=(), metadata={"of": stack.Network})
    file_objects: tuple[stack.FileObject, ...] = field(default=(), metadata={"of": stack.FileObject})
    variables: tuple[stack.Variable, ...] = field(default=(), metadata={"of": stack.Variable})
    problems: tuple[merging.Problem, ...] = field(default=(), metadata={"of": merging.Problem})
    overrides: tuple[merging.Override, ...] = field(default=(), metadata={"of": merging.Override})
    empty_lists: tuple[merging.EmptyList, ...] = field(default=(), metadata={"of": merging.EmptyList})
    reset_values: tuple[merging.ResetValue, ...] = field(default=(), metadata={"of": merging.ResetValue})

    redis_files: tuple[stack.RedisFile, ...] = field(default=(), metadata={"of": stack.RedisFile})
    repeated_entries: tuple[merging.RepeatedEntry, ...] = field(default=(), metadata={"of": merging.RepeatedEntry})
    shadowed_mounts: tuple[merging.ShadowedMount, ...] = field(default=(), metadata={"of": merging.ShadowedMount})
    told_profiles: tuple[stack.ToldProfile, ...] = field(default=(), metadata={"of": stack.ToldProfile})
    quoted_entries: tuple[merging.QuotedEntry, ...] = field(default=(), metadata={"of": merging.QuotedEntry})
    env_files: tuple[configuration.EnvFile, ...] = field(default=(), metadata={"of": configuration.EnvFile})
    settings: tuple[configuration.Setting, ...] = field(default=(), metadata={"of": configuration.Setting})
    fixed_secrets: tuple[configuration.FixedSecret, ...] = field(default=(), metadata={"of": configuration.FixedSecret})
    config_addresses: tuple[configuration.ConfigAddress, ...] = field(
        default=(), metadata={"of": configuration.ConfigAddress}
    )
    config_variables: tuple[configuration.ConfigVariable, ...] = field(
        default=(), metadata={"of": configuration.ConfigVariable}
    )
    spring_profiles: tuple[configuration.SpringProfile, ...] = field(
        default=(), metadata={"of": configuration.SpringProfile}
    )
    memory_databases: tuple[configuration.MemoryDatabase, ...] = field(
        default=(), metadata={"of": configuration.MemoryDatabase}
    )
    settings_files: tuple[configuration.SettingsFile, ...] = field(
        default=(), metadata={"of": configuration.SettingsFile}
    )
    environment_branches: tuple[configuration.EnvironmentBranch, ...] = field(
        default=(), metadata={"of": configuration.EnvironmentBranch}
    )
    log_files: tuple[configuration.LogFile, ...] = field(default=(), metadata={"of": configuration.LogFile})
    unrotated_logs: tuple[configuration.UnrotatedLog, ...] = field(
        default=(), metadata={"of": configuration.UnrotatedLog}
    )
    task_queues: tuple[tasks.TaskQueue, ...] = field(default=(), metadata={"of": tasks.TaskQueue})
    task_options: tuple[tasks.TaskOption, ...] = field(default=(), metadata={"of": tasks.TaskOption})
    queue_names: tuple[tasks.QueueName, ...] = field(default=(), metadata={"of": tasks.QueueName})
    scheduled_tasks: tuple[tasks.ScheduledTask, ...] = field(default=(), metadata={"of": tasks.ScheduledTask})
    allowed_origins: tuple[configuration.AllowedOrigin, ...] = field(
        default=(), metadata={"of": configuration.AllowedOrigin}
    )
    any_hosts: tuple[configuration.AnyHost, ...] = field(default=(), metadata={"of": configuration.AnyHost})
    php_limits: tuple[configuration.PhpLimit, ...] = field(default=(), metadata={"of": configuration.PhpLimit})
    express_files: tuple[configuration.ExpressFile, ...] = field(default=(), metadata={"of": configuration.ExpressFile})
    comments_in_values: tuple[configuration.CommentInValue, ...] = field(
        default=(), metadata={"of": configuration.CommentInValue}
    )
    spring_settings: tuple[configuration.SpringSettings, ...] = field(
        default=(), metadata={"of": configuration.SpringSettings}
    )
    django_settings: tuple[configuration.DjangoSettings, ...] = field(
        default=(), metadata={"of": configuration.DjangoSettings}
    )
    settings_modules: tuple[configuration.SettingsModule, ...] = field(
        default=(), metadata={"of": configuration.SettingsModule}
    )
    debug_switches: tuple[configuration.DebugSwitch, ...] = field(
        default=(), metadata={"of": configuration.DebugSwitch}
    )
    switch_comparisons: tuple[configuration.SwitchComparison, ...] = field(
        default=(), metadata={"of": configuration.SwitchComparison}
    )
    refused_values: tuple[configuration.RefusedValue, ...] = field(
        default=(), metadata={"of": configuration.RefusedValue}
    )
    development_servers: tuple[configuration.DevelopmentServer, ...] = field(
        default=(), metadata={"of": configuration.DevelopmentServer}
    )
    server_traits: tuple[configuration.ServerTrait, ...] = field(default=(), metadata={"of": configuration.ServerTrait})
    named_variables: tuple[configuration.NamedVariables, ...] = field(
        default=(), metadata={"of": configuration.NamedVariables}
    )
    made_logins: tuple[configuration.MadeLogin, ...] = field(default=(), metadata={"of": configuration.MadeLogin})
    told_logins: tuple[configuration.ToldLogin, ...] = field(default=(), metadata={"of": configuration.ToldLogin})
    seeded_users: tuple[configuration.SeededUser, ...] = field(default=(), metadata={"of": configuration.SeededUser})
    undefined_settings: tuple[configuration.UndefinedSetting, ...] = field(
        default=(), metadata={"of": configuration.UndefinedSetting}
    )
    committed_secrets: tuple[configuration.CommittedSecret, ...] = field(
        default=(), metadata={"of": configuration.CommittedSecret}
    )

    prometheus: tuple[monitoring.PrometheusConfig, ...] = field(
        default=(), metadata={"of": monitoring.PrometheusConfig}
    )
    scrape_jobs: tuple[monitoring.ScrapeJob, ...] = field(default=(), metadata={"of": monitoring.ScrapeJob})
    alert_rules: tuple[monitoring.AlertRule, ...] = field(default=(), metadata={"of": monitoring.AlertRule})
    receivers: tuple[alerting.Receiver, ...] = field(default=(), metadata={"of": alerting.Receiver})
    contact_points: tuple[alerting.ContactPoint, ...] = field(default=(), metadata={"of": alerting.ContactPoint})
    alert_routes: tuple[alerting.Route, ...] = field(default=(), metadata={"of": alerting.Route})
    alertmanager_refusals: tuple[alerting.AlertmanagerRefusal, ...] = field(
        default=(), metadata={"of": alerting.AlertmanagerRefusal}
    )
    template_uses: tuple[alerting.TemplateUse, ...] = field(default=(), metadata={"of": alerting.TemplateUse})
    inhibit_rules: tuple[alerting.InhibitRule, ...] = field(default=(), metadata={"of": alerting.InhibitRule})
    web_logins: tuple[monitoring.WebLogin, ...] = field(default=(), metadata={"of": monitoring.WebLogin})
    probe_modules: tuple[monitoring.ProbeModule, ...] = field(default=(), metadata={"of": monitoring.ProbeModule})
    collector_parts: tuple[telemetry.CollectorPart, ...] = field(default=(), metadata={"of": telemetry.CollectorPart})
    prometheus_calls: tuple[monitoring.PrometheusCall, ...] = field(
        default=(), metadata={"of": monitoring.PrometheusCall}
    )
    missing_stages: tuple[telemetry.MissingStage, ...] = field(default=(), metadata={"of": telemetry.MissingStage})
    idle_stages: tuple[telemetry.IdleStage, ...] = field(default=(), metadata={"of": telemetry.IdleStage})
    otlp_listeners: tuple[telemetry.OtlpListener, ...] = field(default=(), metadata={"of": telemetry.OtlpListener})
    loki_settings: tuple[logs.LokiSettings, ...] = field(default=(), metadata={"of": logs.LokiSettings})
    datasources: tuple[dashboards.Datasource, ...] = field(default=(), metadata={"of": dashboards.Datasource})
    dashboard_providers: tuple[dashboards.DashboardProvider, ...] = field(
        default=(), metadata={"of": dashboards.DashboardProvider}
    )
    dashboards: tuple[dashboards.Dashboard, ...] = field(default=(), metadata={"of": dashboards.Dashboard})
    instrumentations: tuple[monitoring.Instrumentation, ...] = field(
        default=(), metadata={"of": monitoring.Instrumentation}
    )
    own_metrics: tuple[monitoring.OwnMetric, ...] = field(default=(), metadata={"of": monitoring.OwnMetric})
    plain_variables: tuple[monitoring.PlainVariable, ...] = field(default=(), metadata={"of": monitoring.PlainVariable})
    log_habits: tuple[logs.LogHabit, ...] = field(default=(), metadata={"of": logs.LogHabit})
    otlp_exporters: tuple[telemetry.OtlpExporter, ...] = field(default=(), metadata={"of": telemetry.OtlpExporter})
    coarse_histograms: tuple[telemetry.CoarseHistogram, ...] = field(
        default=(), metadata={"of": telemetry.CoarseHistogram}
    )
    otel_instruments: tuple[telemetry.OtelInstrument, ...] = field(
        default=(), metadata={"of": telemetry.OtelInstrument}
    )
    unknown_parsers: tuple[logs.UnknownParser, ...] = field(default=(), metadata={"of": logs.UnknownParser})
    idle_metrics: tuple[monitoring.IdleMetric, ...] = field(default=(), metadata={"of": monitoring.IdleMetric})
    raw_path_labels: tuple[monitoring.RawPathLabel, ...] = field(default=(), metadata={"of": monitoring.RawPathLabel})
    log_labels: tuple[logs.LogLabel, ...] = field(default=(), metadata={"of": logs.LogLabel})
    log_shippers: tuple[logs.LogShipper, ...] = field(default=(), metadata={"of": logs.LogShipper})
    query_credentials: tuple[proxy.QueryCredential, ...] = field(default=(), metadata={"of": proxy.QueryCredential})
    request_logs: tuple[proxy.RequestLog, ...] = field(default=(), metadata={"of": proxy.RequestLog})
    reverse_proxies: tuple[proxy.ReverseProxy, ...] = field(default=(), metadata={"of": proxy.ReverseProxy})
    traefik_settings: tuple[proxy.TraefikSetting, ...] = field(default=(), metadata={"of": proxy.TraefikSetting})
    proxy_traits: tuple[proxy.ProxyTrait, ...] = field(default=(), metadata={"of": proxy.ProxyTrait})

    workflows: tuple[delivery.Workflow, ...] = field(default=(), metadata={"of": delivery.Workflow})
    stray_workflows: tuple[delivery.StrayWorkflow, ...] = field(default=(), metadata={"of": delivery.StrayWorkflow})
    pipeline_faults: tuple[delivery.PipelineFault, ...] = field(default=(), metadata={"of": delivery.PipelineFault})
    pipeline_services: tuple[delivery.JobService, ...] = field(default=(), metadata={"of": delivery.JobService})
    actions: tuple[delivery.Action, ...] = field(default=(), metadata={"of": delivery.Action})
    cluster_files: tuple[clusters.ClusterFile, ...] = field(default=(), metadata={"of": clusters.ClusterFile})
    dockerfiles: tuple[dockerfile.Dockerfile, ...] = field(default=(), metadata={"of": dockerfile.Dockerfile})
    docker_ignores: tuple[dockerfile.DockerIgnore, ...] = field(default=(), metadata={"of": dockerfile.DockerIgnore})
    manifests: tuple[delivery.Manifest, ...] = field(default=(), metadata={"of": delivery.Manifest})
    recipe_faults: tuple[delivery.RecipeFault, ...] = field(default=(), metadata={"of": delivery.RecipeFault})
    scripts: tuple[delivery.Script, ...] = field(default=(), metadata={"of": delivery.Script})
    prisma_schemas: tuple[code.PrismaSchema, ...] = field(default=(), metadata={"of": code.PrismaSchema})
    untesting_files: tuple[code.UntestingFile, ...] = field(default=(), metadata={"of": code.UntestingFile})
    test_suites: tuple[code.TestSuite, ...] = field(default=(), metadata={"of": code.TestSuite})
    cron_lines: tuple[schedules.CronLine, ...] = field(default=(), metadata={"of": schedules.CronLine})
    units: tuple[schedules.Unit, ...] = field(default=(), metadata={"of": schedules.Unit})
    callers: tuple[delivery.Caller, ...] = field(default=(), metadata={"of": delivery.Caller})
    unfit_imports: tuple[code.UnfitImport, ...] = field(default=(), metadata={"of": code.UnfitImport})
    ignored_tests: tuple[code.IgnoredTest, ...] = field(default=(), metadata={"of": code.IgnoredTest})
    compiler_outputs: tuple[code.CompilerOutput, ...] = field(default=(), metadata={"of": code.CompilerOutput})
    migration_addresses: tuple[code.MigrationAddress, ...] = field(default=(), metadata={"of": code.MigrationAddress})
    migrators: tuple[code.Migrator, ...] = field(default=(), metadata={"of": code.Migrator})
    code_traits: tuple[code.CodeTrait, ...] = field(default=(), metadata={"of": code.CodeTrait})
    script_defaults: tuple[code.ScriptDefault, ...] = field(default=(), metadata={"of": code.ScriptDefault})
    local_imports: tuple[code.LocalImports, ...] = field(default=(), metadata={"of": code.LocalImports})
    documents: tuple[document.Document, ...] = field(default=(), metadata={"of": document.Document})
    program_calls: tuple[code.ProgramCall, ...] = field(default=(), metadata={"of": code.ProgramCall})
    kept_files: tuple[delivery.KeptFile, ...] = field(default=(), metadata={"of": delivery.KeptFile})
    update_entries: tuple[delivery.UpdateEntry, ...] = field(default=(), metadata={"of": delivery.UpdateEntry})
    update_limits: tuple[delivery.UpdateLimit, ...] = field(default=(), metadata={"of": delivery.UpdateLimit})
    git_ignores: tuple[delivery.GitIgnore, ...] = field(default=(), metadata={"of": delivery.GitIgnore})
    absent_paths: tuple[document.AbsentPath, ...] = field(default=(), metadata={"of": document.AbsentPath})
    web_routes: tuple[code.Route, ...] = field(default=(), metadata={"of": code.Route})
