-- AlterTable
ALTER TABLE "host" ADD COLUMN     "backup_target" TEXT;

-- CreateTable
CREATE TABLE "backup" (
    "id" SERIAL NOT NULL,
    "backup_uid" TEXT NOT NULL,
    "host_id" INTEGER NOT NULL,
    "project_id" INTEGER,
    "vm_id" INTEGER,
    "vm_name" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "scheduled" BOOLEAN NOT NULL DEFAULT false,
    "spec" TEXT NOT NULL,
    "volumes" TEXT NOT NULL DEFAULT '[]',
    "bytes" BIGINT NOT NULL,
    "stored_bytes" BIGINT NOT NULL DEFAULT 0,
    "consistency" TEXT,
    "damaged" BOOLEAN NOT NULL DEFAULT false,
    "taken_at" TIMESTAMP(3) NOT NULL,
    "deleted_at" TIMESTAMP(3),

    CONSTRAINT "backup_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "backup_plan" (
    "host_id" INTEGER NOT NULL,
    "every" TEXT NOT NULL,
    "minute" INTEGER NOT NULL,
    "weekday" INTEGER NOT NULL,
    "keep" INTEGER NOT NULL,
    "next_at" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "backup_plan_pkey" PRIMARY KEY ("host_id")
);

-- CreateTable
CREATE TABLE "vm_backup" (
    "vm_id" INTEGER NOT NULL,
    "excluded" BOOLEAN NOT NULL DEFAULT false,
    "due_at" TIMESTAMP(3),
    "tried_at" TIMESTAMP(3),
    "error" TEXT,

    CONSTRAINT "vm_backup_pkey" PRIMARY KEY ("vm_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "backup_backup_uid_key" ON "backup"("backup_uid");

-- CreateIndex
CREATE INDEX "backup_host_id_idx" ON "backup"("host_id");

-- CreateIndex
CREATE INDEX "backup_project_id_idx" ON "backup"("project_id");

-- CreateIndex
CREATE INDEX "backup_vm_id_idx" ON "backup"("vm_id");

-- CreateIndex
CREATE INDEX "vm_backup_due_at_idx" ON "vm_backup"("due_at");

-- AddForeignKey
ALTER TABLE "backup" ADD CONSTRAINT "backup_host_id_fkey" FOREIGN KEY ("host_id") REFERENCES "host"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "backup" ADD CONSTRAINT "backup_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "project"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "backup" ADD CONSTRAINT "backup_vm_id_fkey" FOREIGN KEY ("vm_id") REFERENCES "vm"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "backup_plan" ADD CONSTRAINT "backup_plan_host_id_fkey" FOREIGN KEY ("host_id") REFERENCES "host"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "vm_backup" ADD CONSTRAINT "vm_backup_vm_id_fkey" FOREIGN KEY ("vm_id") REFERENCES "vm"("id") ON DELETE CASCADE ON UPDATE CASCADE;
